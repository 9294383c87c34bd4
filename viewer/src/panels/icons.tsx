/** Line icons on a grid of 20. */

const PATHS = {
  crosshair: "M10 2.5v5M10 12.5v5M2.5 10h5M12.5 10h5",
  window: "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14zM10 3v14M12.5 4v12M15 6v8",
  pan: "M10 2.5v15M2.5 10h15M7.8 4.7 10 2.5l2.2 2.2M7.8 15.3 10 17.5l2.2-2.2M4.7 7.8 2.5 10l2.2 2.2M15.3 7.8l2.2 2.2-2.2 2.2",
  measure: "M3 13.5 13.5 3 17 6.5 6.5 17zM6 10.5l1.6 1.6M8.5 8l1.6 1.6M11 5.5l1.6 1.6",
  add: "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14zM10 6.8v6.4M6.8 10h6.4",
  remove: "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14zM6.8 10h6.4",
  scribble: "M3 13.5c2-6 4.5-8 5.5-6.5s-3 6-1.2 7 4-7.5 6-6.5-1.5 5.5.2 6 2.5-1.5 3.5-3",
  box: "M3.5 5h2M8 5h4M14.5 5h2M3.5 15h2M8 15h4M14.5 15h2M3.5 5v2M3.5 9v2M3.5 13v2M16.5 5v2M16.5 9v2M16.5 13v2",
  undo: "M7 4 3.5 7.5 7 11M3.5 7.5h8a5 5 0 0 1 0 10H8",
  redo: "M13 4l3.5 3.5L13 11M16.5 7.5h-8a5 5 0 0 0 0 10H12",
  propagate: "M4 5h7v7H4zM7 15.5h7.5V8M10 18.5h7.5V11",
  reset: "M4 10a6 6 0 1 1 1.8 4.3M4 17v-3.2h3.2",
  eye: "M2 10s3-5.2 8-5.2S18 10 18 10s-3 5.2-8 5.2S2 10 2 10zM10 7.6a2.4 2.4 0 1 0 0 4.8a2.4 2.4 0 1 0 0-4.8z",
  eyeOff: "M3 3l14 14M8 5a8.6 8.6 0 0 1 2-.2c5 0 8 5.2 8 5.2a14 14 0 0 1-2.3 2.8M12.6 14.8a8 8 0 0 1-2.6.4C5 15.2 2 10 2 10a14 14 0 0 1 3-3.4",
  check: "M4 10.5 8 14.5 16 5.5",
  cross: "M5 5l10 10M15 5 5 15",
  pencil: "M4 16l.8-3.4L13.4 4l2.6 2.6-8.6 8.6zM11.5 5.9l2.6 2.6",
  focus: "M3 4h9v12H3zM14 4h3v5.4h-3zM14 10.6h3V16h-3z",
  grid: "M3 4h6.4v5.4H3zM10.6 4H17v5.4h-6.4zM3 10.6h6.4V16H3zM10.6 10.6H17V16h-6.4z",
  single: "M3 4h14v12H3z",
  compare: "M3 4h6v12H3zM11 4h6v12h-6z",
  link: "M8.5 11.5a3 3 0 0 0 4.2 0l2.6-2.6a3 3 0 0 0-4.2-4.2L10 5.8M11.5 8.5a3 3 0 0 0-4.2 0l-2.6 2.6a3 3 0 0 0 4.2 4.2l1.1-1.1",
  export: "M10 3v9M6.5 8.8 10 12.3l3.5-3.5M4 14v3h12v-3",
  help: "M7.3 7.6a2.8 2.8 0 1 1 4 2.5c-.9.4-1.3 1-1.3 2M10 15v.2",
  left: "M12 5l-5 5 5 5",
  right: "M8 5l5 5-5 5",
  invert: "M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14",
  folder: "M2.5 5h5l1.5 2h8.5v9h-15z",
  bin: "M4 6h12M8 6V4h4v2M5.5 6l.7 11h7.6l.7-11",
  open: "M10 16V7M6.5 10.2 10 6.7l3.5 3.5M4 3.5h12",
};

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark: a screen seen through a lens. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
      <circle cx="12" cy="12" r="9.2" />
      <path d="M12 2.8v4M12 17.2v4M2.8 12h4M17.2 12h4" />
      <circle cx="12" cy="12" r="3" />
    </svg>
  );
}

interface ButtonProps {
  icon: IconName;
  label: string;
  keys?: string;
  isOn?: boolean;
  isOff?: boolean;
  class?: string;
  onClick: (event: MouseEvent) => void;
}

/** A button that shows only its icon: the name and the key are its tooltip. */
export function IconButton({ icon, label, keys, isOn, isOff, class: extra = "", onClick }: ButtonProps) {
  return (
    <button
      type="button"
      class={`icon-button ${extra}`}
      title={keys ? `${label} (${keys})` : label}
      aria-label={label}
      aria-keyshortcuts={keys}
      aria-pressed={isOn}
      disabled={isOff}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}
