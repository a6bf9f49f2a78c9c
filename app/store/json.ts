/**
 * The trust boundary of the store: JSON text that this app wrote itself comes back as what it was. Nothing from
 * outside passes here unparsed; it was parsed before it was stored.
 */
export function stored<T>(text: string): T {
  return JSON.parse(text) as T;
}

export function storedOrNull<T>(text: string | null): T | null {
  return text === null ? null : stored<T>(text);
}

export function textOrNull(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}
