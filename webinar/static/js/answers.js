// Requests to our own server, with the token every change needs.

export function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.content ?? "";
}

// A refusal carries the server's sentence and status.
export class Refused extends Error {
  constructor(message, status, body) {
    super(message);
    this.status = status;
    this.body = body;
  }
}

export async function ask(url, { method = "GET", json, bytes, headers: more = {}, ...rest } = {}) {
  const headers = { Accept: "application/json", "X-CSRFToken": csrfToken(), ...more };
  if (json !== undefined) headers["Content-Type"] = "application/json";
  if (bytes !== undefined) headers["Content-Type"] = "application/octet-stream";
  const body = json !== undefined ? JSON.stringify(json) : bytes;
  const answer = await fetch(url, { method, headers, body, ...rest }).catch(() => {
    throw new Error("There is no connection to the server. Check the network and try again.");
  });
  const isJson = answer.headers.get("Content-Type")?.startsWith("application/json");
  const content = isJson ? await answer.json() : {};
  if (!answer.ok) {
    throw new Refused(content.error ?? `The server answered ${answer.status}.`, answer.status, content);
  }
  return content;
}
