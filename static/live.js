// Live parts of a page: says how old they are, lets them be paused, and keeps what the reader has opened.
// The words are the page's, at the element with data-live-word and at its button.
let paused = false;
let heard = Date.now();
let opened = new Set();
let focused = "";

function say() {
  const word = document.querySelector("[data-live-word]");
  if (!word || !document.querySelector("[data-live]")) return;
  const seconds = Math.round((Date.now() - heard) / 1000);
  const time = new Date(heard).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
  const said = paused ? word.dataset.paused : seconds > 10 ? word.dataset.silent : word.dataset.fresh;
  word.textContent = said.replace("{n}", seconds).replace("{time}", time);
  document.querySelector(".live .pulse")?.classList.toggle("pulse-waiting", paused || seconds > 10);
}

function paint() {
  const button = document.querySelector("[data-live-pause]");
  if (button) {
    button.setAttribute("aria-pressed", String(paused));
    button.querySelector("span").textContent = paused ? button.dataset.resumeWord : button.dataset.pauseWord;
  }
  say();
}

document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-live-pause]")) return;
  paused = !paused;
  paint();
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (paused && event.target.matches("[data-live]")) event.preventDefault();
});

document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) heard = Date.now();
  say();
});

document.addEventListener("htmx:beforeSwap", () => {
  opened = new Set([...document.querySelectorAll("[data-live] details[id][open]")].map((one) => one.id));
  focused = document.activeElement?.id || "";
});

document.addEventListener("htmx:afterSwap", () => {
  for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
  if (focused && document.activeElement?.id !== focused) document.getElementById(focused)?.focus();
  paint();
});

setInterval(say, 1000);
say();
