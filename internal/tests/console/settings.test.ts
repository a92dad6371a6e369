import { expect, test } from 'vitest';
import { readConfig } from '../../config/config.ts';
import { type ShownSetting, shownSettings } from '../../config/live/shown-settings.ts';
import { settingNames } from '../../config/setting-names.ts';
import { startConsole } from '../../testing/services/console-service.ts';
import { Secrets } from '../../testing/services/secrets.ts';

test('no secret of any setting is shown, in whatever form it is given', () => {
  const secrets = new Secrets();
  const password = (what: string) => secrets.make(what);
  const givenTo = (name: string): string[] => [
    `postgres://user:${password(name)}@db.example/chat`,
    `postgres://user:${password(name)}%2F,x@db.example,other.example/chat?password=${password(name)}&sslmode=require`,
    `postgres://db.example/chat?passfile=/x&password=${password(name)}`,
    `nats://one:${password(name)}@a.example,nats://two:${password(name)}@b.example`,
    `nats://${password(name)}@a.example`,
    `redis://:${password(name)}@cache`,
    `redis://:${password(name)}/@@cache`,
    `host=db.example user=chat password=${password(name)}`,
    `https://user:${password(name)}@proxy.example/path?token=${password(name)}`,
  ];
  const names = [...settingNames()];
  for (let form = 0; form < givenTo('').length; form += 1) {
    const env = Object.fromEntries(names.map((name) => [name, givenTo(name)[form]]));
    expect(secrets.in(JSON.stringify(shownSettings(env)))).toEqual([]);
  }
  const tokens = Object.fromEntries(
    names.filter((name) => /TOKEN$|SECRET|PASSWORD/.test(name)).map((name) => [name, password(name)]),
  );
  expect(Object.keys(tokens)).toContain('ADMIN_TOKEN');
  expect(secrets.in(JSON.stringify(shownSettings(tokens)))).toEqual([]);
});

test('what a setting says beside its secret is shown', () => {
  const env = {
    POSTGRES_DSN: 'postgres://chat:x@db.example:5432/chat',
    MAX_TEXT_LENGTH: '500',
    ADMIN_TOKEN: 'x'.repeat(16),
  };
  expect(() => readConfig(env)).not.toThrow();
  const settings = new Map(shownSettings(env).map((setting) => [setting.name, setting]));
  expect(settings.get('POSTGRES_DSN')).toMatchObject({
    value: 'postgres://[hidden]@db.example:5432/chat',
    reloadable: false,
  });
  expect(settings.get('MAX_TEXT_LENGTH')).toMatchObject({ value: '500', reloadable: true });
  expect(settings.get('ADMIN_TOKEN')).toMatchObject({ value: '[hidden]' });
  expect(settings.get('MAX_MEMBERS')).toMatchObject({ value: null });
});

test('the console shows the settings in force, also after a reload', async () => {
  const admin = await startConsole({ MAX_TEXT_LENGTH: '500' });
  try {
    const shownValue = async (sought: string) => {
      const { settings } = await admin.get<{ settings: ShownSetting[] }>('settings');
      return settings.find(({ name }) => name === sought)?.value;
    };
    expect(await shownValue('MAX_TEXT_LENGTH')).toBe('500');
    admin.service.reload({ MAX_TEXT_LENGTH: '600' });
    expect(await shownValue('MAX_TEXT_LENGTH')).toBe('600');
  } finally {
    await admin.service.stop();
  }
});
