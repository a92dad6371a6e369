import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { openPage } from '../../../internal/testing/clients/browser.ts';
import { eventually } from '../../../internal/testing/eventually.ts';

/** The web page in a browser session of its own, used as a person would. */
export class ChatPage {
  readonly page: Page;
  readonly faults: string[];
  readonly #url: string;

  private constructor(page: Page, faults: string[], url: string) {
    this.page = page;
    this.faults = faults;
    this.#url = url;
  }

  /** Opens the page; nobody is signed in. */
  static async open(url: string, options: BrowserContextOptions = {}): Promise<ChatPage> {
    const { page, faults } = await openPage({ locale: 'en-GB', ...options });
    page.setDefaultTimeout(60_000);
    await page.goto(url);
    await page.getByRole('heading', { name: 'Welcome to Chat' }).waitFor();
    return new ChatPage(page, faults, url);
  }

  /** Opens the page and signs in as a guest. */
  static async guest(url: string, name: string, options: BrowserContextOptions = {}): Promise<ChatPage> {
    const chat = await ChatPage.open(url, options);
    await chat.page.getByLabel('Your name').fill(name);
    await chat.page.getByRole('button', { name: 'Join as guest' }).click();
    await chat.page.getByRole('navigation', { name: 'Chats' }).waitFor();
    return chat;
  }

  /** Joins a room by the dialog; it is made if there is none. */
  async join(room: string): Promise<void> {
    await this.page.getByRole('button', { name: 'Start a chat' }).first().click();
    const dialog = this.page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Room' }).fill(room);
    await dialog.getByRole('textbox', { name: 'Room' }).press('Enter');
    await this.title(room).waitFor();
    await this.composer.waitFor();
  }

  /** Opens a chat by its address, as from a bookmark. */
  async goTo(chatId: string): Promise<void> {
    await this.page.goto(`${this.#url}/#/chat/${chatId}`);
    await this.composer.waitFor();
  }

  title(text: string): Locator {
    return this.page.getByRole('heading', { level: 1, name: text });
  }

  get composer(): Locator {
    return this.page.getByRole('textbox', { name: /^Message to/ });
  }

  async say(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press('Enter');
  }

  /** The text field in which a message is being edited. */
  get editor(): Locator {
    return this.page.getByRole('textbox', { name: 'Edit the message' });
  }

  /** The accessible name of what has the focus. */
  async focused(): Promise<string | null | undefined> {
    return this.page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
  }

  /** The texts that are in the document, in order. */
  async texts(): Promise<string[]> {
    return this.page.locator('.bubble-text').allInnerTexts();
  }

  /** Waits until exactly these texts are shown. */
  async shows(texts: string[]): Promise<void> {
    await eventually(async () => expect(await this.texts()).toEqual(texts));
  }

  get banner(): Locator {
    return this.page.getByText('No connection.');
  }

  /** The entry of a chat in the list. */
  listed(title: string): Locator {
    return this.page.getByRole('navigation', { name: 'Chats' }).getByRole('link').filter({ hasText: title });
  }

  get scroller(): Locator {
    return this.page.locator('.message-scroller');
  }
}
