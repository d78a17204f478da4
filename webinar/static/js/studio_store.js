// Pieces that were filmed and are not on the server's disk yet, kept where a reload, a crash or a
// killed tab does not reach them: IndexedDB, by person and session.
//
// The first piece of a take stays until the take is over: without it the others cannot be played.

const NAME = "studio";

// A store of this browser, or one in memory where the browser keeps nothing (a private window).
export async function openStore(owner) {
  try {
    return new DurableStore(owner, await open());
  } catch {
    return new MemoryStore();
  }
}

export class MemoryStore {
  isDurable = false;
  pieces = new Map();

  keepTake() {}

  async keep(take, seq, bytes) {
    this.pieces.set(`${take.key}/${seq}`, bytes);
  }

  async read(take, seq) {
    return this.pieces.get(`${take.key}/${seq}`);
  }

  async forget(take, seq) {
    if (seq > 0) this.pieces.delete(`${take.key}/${seq}`);
  }

  async forgetTake(take) {
    for (const name of [...this.pieces.keys()]) {
      if (name.startsWith(`${take.key}/`)) this.pieces.delete(name);
    }
  }

  async left() {
    return [];
  }
}

class DurableStore {
  isDurable = true;

  constructor(owner, db) {
    Object.assign(this, { owner, db });
  }

  // The take while this page films it: another tab of the same person leaves it alone.
  keepTake({ key, startedAt, number }) {
    hold(key);
    return this.write("takes", (takes) => takes.put({ key, owner: this.owner, startedAt, number }));
  }

  keep(take, seq, bytes, milliseconds) {
    const piece = { take: take.key, seq, bytes, milliseconds };
    return this.write("pieces", (pieces) => pieces.put(piece));
  }

  async read(take, seq) {
    const piece = await this.ask("pieces", (pieces) => pieces.get([take.key, seq]));
    return piece?.bytes;
  }

  async forget(take, seq) {
    if (seq > 0) await this.write("pieces", (pieces) => pieces.delete([take.key, seq]));
  }

  async forgetTake({ key }) {
    await this.write("pieces", (pieces) => pieces.delete(all(key)));
    await this.write("takes", (takes) => takes.delete(key));
    letGo(key);
  }

  // What a page before this one left behind, oldest take first: [{ take, pieces }].
  async left() {
    const held = await heldKeys();
    const takes = await this.ask("takes", (rows) => rows.getAll());
    const mine = takes.filter(({ owner, key }) => owner === this.owner && !held.has(key));
    mine.sort((one, other) => one.startedAt - other.startedAt);
    const found = [];
    for (const take of mine) {
      hold(take.key);
      const rows = await this.ask("pieces", (pieces) => pieces.getAll(all(take.key)));
      const pieces = rows.map(({ seq, bytes, milliseconds }) => ({ seq, size: bytes.byteLength, milliseconds }));
      found.push({ take, pieces });
    }
    return found;
  }

  write(name, change) {
    return this.ask(name, change, "readwrite");
  }

  ask(name, question, mode = "readonly") {
    return new Promise((resolve, reject) => {
      const turn = this.db.transaction(name, mode);
      const request = question(turn.objectStore(name));
      turn.oncomplete = () => resolve(request.result);
      turn.onabort = turn.onerror = () => reject(turn.error ?? request.error);
    });
  }
}

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("takes", { keyPath: "key" });
      request.result.createObjectStore("pieces", { keyPath: ["take", "seq"] });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = request.onblocked = () => reject(request.error);
  });
}

const all = (key) => IDBKeyRange.bound([key, 0], [key, Infinity]);
const lockName = (key) => `studio-take ${key}`;
const holding = new Map();

// The browser lets go of it when the page is gone, however it went.
function hold(key) {
  if (holding.has(key)) return;
  holding.set(key, () => {});
  navigator.locks?.request(lockName(key), { ifAvailable: true }, (lock) => {
    if (lock === null) return undefined;
    return new Promise((resolve) => holding.set(key, resolve));
  });
}

function letGo(key) {
  holding.get(key)?.();
  holding.delete(key);
}

async function heldKeys() {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  const names = new Set(held.map(({ name }) => name));
  return { has: (key) => names.has(lockName(key)) || holding.has(key) };
}
