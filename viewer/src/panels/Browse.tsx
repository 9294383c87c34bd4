/** placeholder */
export function Browse() { return null; }
