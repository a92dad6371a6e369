const paths = {
  back: 'M15 5l-7 7 7 7',
  chat: 'M21 11.5a8 8 0 0 1-8 8 8.6 8.6 0 0 1-3.4-.7L4 20.5l1.6-4.7A7.7 7.7 0 0 1 5 12a8 8 0 0 1 8-8.5 8 8 0 0 1 8 8z',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  checks: 'M2 12.5l4.5 4.5L16 7.5M11.5 16.5l.5.5L22 7.5',
  clock: 'M12 7v5l3 2M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0z',
  close: 'M6 6l12 12M18 6L6 18',
  down: 'M6 10l6 6 6-6',
  edit: 'M4 20l1-4.5L16.5 4l3.5 3.5L8.5 19z',
  hash: 'M10 4L8 20M16 4l-2 16M5 9h15M4 15h15',
  people:
    'M16 19v-1.5a3.5 3.5 0 0 0-3.5-3.5h-6A3.5 3.5 0 0 0 3 17.5V19M9.5 10.5a3.2 3.2 0 1 0 0-6.5 3.2 3.2 0 0 0 0 6.5zM21 19v-1.5a3.5 3.5 0 0 0-2.6-3.4M15.5 4.2a3.3 3.3 0 0 1 0 6.2',
  plus: 'M12 5v14M5 12h14',
  reply: 'M10 6L4 12l6 6M4 12h9a7 7 0 0 1 7 7',
  search: 'M20 20l-4.3-4.3M18 11a7 7 0 1 1-14 0 7 7 0 0 1 14 0z',
  send: 'M4.5 12h7M4.5 12L3 4.5 21 12 3 19.5z',
  signOut: 'M10 4H6a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h4M15 16l4-4-4-4M19 12H9',
  smile: 'M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0zM8.5 14.5a4.5 4.5 0 0 0 7 0M9 9.5v.01M15 9.5v.01',
  thread: 'M4 5h16v10H11l-4 4v-4H4zM8 9h8M8 12h5',
  bell: 'M18 16H6l1.5-2.5V10a4.5 4.5 0 0 1 9 0v3.5zM10.5 19a1.6 1.6 0 0 0 3 0',
  bellOff: 'M18 16H6l1.5-2.5V10a4.5 4.5 0 0 1 9 0v3.5zM10.5 19a1.6 1.6 0 0 0 3 0M4 4l16 16',
  trash: 'M5 7h14M9.5 7V4.5h5V7M7 7l1 13h8l1-13M10.5 11v5.5M13.5 11v5.5',
  unread: 'M4 7h10M4 12h16M4 17h16M19 6a1.6 1.6 0 1 1-.01 0z',
  up: 'M6 14l6-6 6 6',
  warning: 'M12 8v5M12 16.5v.01M10.3 4l-8 14a2 2 0 0 0 1.7 3h16a2 2 0 0 0 1.7-3l-8-14a2 2 0 0 0-3.4 0z',
};

export type IconName = keyof typeof paths;

/** A decorative picture. Its meaning must be given by text or a label beside it. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
