// Small things this browser remembers. Where it may not, nothing is remembered and all works.

export function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // No storage in this browser.
  }
}

export function remembered(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}
