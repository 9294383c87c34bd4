/** A button with a panel below it, closed by Escape or a click elsewhere. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface Props {
  label: ComponentChildren;
  name: string;
  class?: string;
  isOff?: boolean;
  children: (close: () => void) => ComponentChildren;
}

export function Menu({ label, name, class: extra = "", isOff = false, children }: Props) {
  const isOpen = useSignal(false);
  const root = useRef<HTMLDivElement>(null);
  const close = () => {
    isOpen.value = false;
    root.current?.querySelector("button")?.focus();
  };

  useEffect(() => {
    if (!isOpen.value) return;
    const elsewhere = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) isOpen.value = false;
    };
    document.addEventListener("pointerdown", elsewhere, true);
    root.current?.querySelector<HTMLElement>(".menu :is(button, input, textarea, select)")?.focus();
    return () => document.removeEventListener("pointerdown", elsewhere, true);
  }, [isOpen.value]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (!isOpen.value) return;
    event.stopPropagation();
    if (event.key === "Escape") return close();
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const items = [...root.current!.querySelectorAll<HTMLElement>(".menu .item")];
    if (!items.length) return;
    event.preventDefault();
    const at = items.indexOf(document.activeElement as HTMLElement) + (event.key === "ArrowDown" ? 1 : -1);
    items[(at + items.length) % items.length].focus();
  };

  return (
    <div class={`menu-root ${extra}`} ref={root} onKeyDown={onKeyDown}>
      <button
        type="button" class="button" aria-haspopup="true" aria-expanded={isOpen.value} aria-label={name}
        title={name} disabled={isOff} onClick={() => (isOpen.value = !isOpen.value)}
      >
        {label}
      </button>
      {isOpen.value && <div class="menu" role="group" aria-label={name}>{children(close)}</div>}
    </div>
  );
}
