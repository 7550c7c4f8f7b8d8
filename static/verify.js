// Checks one record in the browser: its leaf (RFC 9162), its path to the root, the checkpoint's note (C2SP signed note)
// and the note's Ed25519 signature. Each step says in words what it found; the first that fails ends the check.
const text = new TextEncoder();

class Refused extends Error {}

const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);

function unhex(value) {
  if (typeof value !== "string" || !/^([0-9a-f]{2})*$/.test(value)) throw new Refused("A hash is not written in hexadecimal.");
  return Uint8Array.from(value.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function unbase64(value) {
  try {
    return Uint8Array.from(atob(value), (letter) => letter.charCodeAt(0));
  } catch {
    throw new Refused("A part is not written in base64.");
  }
}

function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return whole;
}

const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
const leafHash = (bytes) => sha256(joined([0], bytes));
const nodeHash = (left, right) => sha256(joined([1], left, right));

// RFC 9162, section 2.1.3.2. Numbers stay below 2^53: no bit operators, which know 32 bits.
export async function rootOf(leaf, index, size, path) {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) {
    throw new Refused("The leaf does not lie in a tree of this size.");
  }
  let [place, last, root] = [index, size - 1, leaf];
  for (const hash of path) {
    if (last === 0) throw new Refused("The path is longer than the tree is high.");
    if (place % 2 === 1 || place === last) {
      root = await nodeHash(hash, root);
      while (place % 2 === 0 && place !== 0) { place = Math.floor(place / 2); last = Math.floor(last / 2); }
    } else {
      root = await nodeHash(root, hash);
    }
    place = Math.floor(place / 2);
    last = Math.floor(last / 2);
  }
  if (last !== 0) throw new Refused("The path ends below the root.");
  return root;
}

export function readNote(note) {
  const cut = note.lastIndexOf("\n\n");
  if (cut < 0) throw new Refused("The checkpoint is no signed note.");
  const body = note.slice(0, cut + 1);
  const [origin, size, root] = body.split("\n");
  const signatures = note.slice(cut + 2).split("\n").filter(Boolean).map((line) => {
    const [dash, name, value] = line.split(" ");
    if (dash !== "\u2014" || !value) throw new Refused("A signature line is malformed.");
    return { name, value: unbase64(value) };
  });
  if (!/^(0|[1-9][0-9]*)$/.test(size)) throw new Refused("The checkpoint's size is no number.");
  return { body, origin, size: Number(size), root: unbase64(root), signatures };
}

export async function readKey(written) {
  const [name, id, ...rest] = written.split("+");
  const raw = unbase64(rest.join("+"));
  if (raw[0] !== 1 || raw.length !== 33) throw new Refused("The log's key is no Ed25519 key.");
  const own = (await sha256(joined(text.encode(`${name}\n`), raw))).slice(0, 4);
  if (hex(own) !== id) throw new Refused("The id of the log's key is not its own.");
  return { name, id: own, key: raw.slice(1) };
}

async function imported(raw) {
  try {
    return await crypto.subtle.importKey("raw", raw, { name: "Ed25519" }, false, ["verify"]);
  } catch {
    return null;
  }
}

// The steps in order. Each returns what it found in words; `null` stands for "not possible in this browser".
export const STEPS = [
  {
    name: "These are the bytes of this record",
    async run(proof, shown, seen) {
      seen.bytes = unbase64(proof.record);
      let record;
      try { record = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(seen.bytes)); } catch { throw new Refused("The bytes are no JSON."); }
      if (record.id !== shown.record || record.log !== shown.origin) throw new Refused("The bytes are of another record than this page shows.");
      return `${seen.bytes.length} bytes, ${record.action}`;
    },
  },
  {
    name: "The leaf hash is that of the bytes",
    async run(proof, shown, seen) {
      seen.leaf = await leafHash(seen.bytes);
      if (hex(seen.leaf) !== proof.leaf) throw new Refused("The bytes have another hash than the log holds: the record was changed.");
      return `SHA-256 ${hex(seen.leaf).slice(0, 12)}\u2026`;
    },
  },
  {
    name: "The path leads from the leaf to the root",
    async run(proof, shown, seen) {
      const path = proof.path.map(unhex);
      seen.root = await rootOf(seen.leaf, proof.index, proof.size, path);
      if (hex(seen.root) !== proof.root) throw new Refused("The path leads to another root: the record is not in the log at this place.");
      return `${path.length} hashes, leaf ${proof.index} of ${proof.size}`;
    },
  },
  {
    name: "The checkpoint names this root and this log",
    async run(proof, shown, seen) {
      seen.note = readNote(proof.checkpoint);
      if (seen.note.origin !== shown.origin) throw new Refused("The checkpoint is of another log.");
      if (seen.note.size !== proof.size || !same(seen.note.root, seen.root)) throw new Refused("The checkpoint names another root.");
      return `${seen.note.size} records`;
    },
  },
  {
    name: "The log's key signed the checkpoint",
    async run(proof, shown, seen) {
      if (!proof.key) return null;
      const key = await readKey(proof.key);
      const line = seen.note.signatures.find((one) => one.name === key.name && same(one.value.slice(0, 4), key.id));
      if (!line) throw new Refused("The checkpoint bears no signature by the log's key.");
      const ready = await imported(key.key);
      if (!ready) return null;
      const holds = await crypto.subtle.verify({ name: "Ed25519" }, ready, line.value.slice(4), text.encode(seen.note.body));
      if (!holds) throw new Refused("The signature is false.");
      return `key ${hex(key.id)}`;
    },
  },
];

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `${document.querySelector(".rail use, .topbar use")?.getAttribute("href").split("#")[0] ?? ""}#i-${name}`);
  svg.append(use);
  return svg;
}

const LOOKS = {
  holds: ["is-settled", "check", "Holds"],
  fails: ["is-refused", "x", "Does not hold"],
  impossible: ["is-waiting", "triangle-alert", "Not possible here"],
  unreached: ["", "circle-dashed", "Not reached"],
};

function tell(list, name, result, words) {
  const [meaning, glyph, label] = LOOKS[result];
  const item = document.createElement("li");
  const dot = document.createElement("span");
  const line = document.createElement("p");
  const note = document.createElement("span");
  item.dataset.result = result;
  dot.className = `dot ${meaning}`;
  dot.append(icon(glyph));
  note.className = "when";
  note.textContent = words ? `${label}: ${words}` : label;
  line.append(name, note);
  item.append(dot, line);
  list.append(item);
}

async function fetched(url) {
  const answer = await fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  if (!answer.ok) throw new Refused("The platform gave no proof. A record gets one within some seconds; try again.");
  return answer.json();
}

// Returns "holds", "fails" or "impossible", and writes each step into the list.
export async function verify(url, shown, list) {
  let outcome = "holds";
  const seen = {};
  if (!globalThis.crypto?.subtle) {
    for (const step of STEPS) tell(list, step.name, "impossible", "a browser computes hashes on pages over HTTPS only");
    return "impossible";
  }
  let proof = null;
  try {
    proof = await fetched(url);
  } catch (error) {
    outcome = "fails";
    tell(list, "The proof was fetched", "fails", error instanceof Refused ? error.message : "The platform did not answer.");
  }
  for (const step of STEPS) {
    if (outcome === "fails") { tell(list, step.name, "unreached", ""); continue; }
    try {
      const words = await step.run(proof, shown, seen);
      if (words === null) { outcome = "impossible"; tell(list, step.name, "impossible", proof.key ? "this browser knows no Ed25519" : "the platform names no key here"); }
      else tell(list, step.name, "holds", words);
    } catch (error) {
      outcome = "fails";
      tell(list, step.name, "fails", error instanceof Refused ? error.message : "The proof does not have its form.");
    }
  }
  return outcome;
}

const VERDICTS = {
  holds: ["is-settled", "Every step holds. See below what this does not prove."],
  fails: ["is-refused", "A step does not hold. Do not rely on this record here; keep its proof and tell the other members."],
  impossible: ["is-waiting", "All that could be checked here holds; one step could not. Use the off-line verifier for it."],
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-verify]");
  if (!button) return;
  const list = document.querySelector("[data-verify-steps]");
  const verdict = document.querySelector("[data-verify-verdict]");
  button.disabled = true;
  list.replaceChildren();
  list.hidden = false;
  const { record, origin } = button.dataset;
  const outcome = await verify(button.dataset.verify, { record, origin }, list);
  const [meaning, words] = VERDICTS[outcome];
  verdict.className = `section-bar notice ${meaning}`;
  verdict.dataset.outcome = outcome;
  verdict.replaceChildren(icon(outcome === "holds" ? "shield-check" : "triangle-alert"), words);
  verdict.hidden = false;
  button.disabled = false;
});
