// The member page's own behaviors. Every page of it is complete without this file.

// A page about something that is under way is loaded anew while somebody looks at it.
const live = document.querySelector("[data-reload]");
if (live) {
  setInterval(() => { if (!document.hidden) location.reload(); }, Number(live.dataset.reload));
}

// On a phone the tabs scroll; the present one is brought into sight.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });

// A file that is too long is refused by the agent as well; here it is said before it is sent.
for (const field of document.querySelectorAll("input[type=file][data-largest]")) {
  const drop = field.closest("[data-drop]");
  field.addEventListener("change", () => {
    const file = field.files[0];
    const isTooLong = file && file.size > Number(field.dataset.largest);
    field.setCustomValidity(isTooLong ? field.dataset.tooLong : "");
    field.reportValidity();
  });
  for (const kind of ["dragenter", "dragover"]) drop?.addEventListener(kind, () => drop.classList.add("is-over"));
  for (const kind of ["dragleave", "drop"]) drop?.addEventListener(kind, () => drop.classList.remove("is-over"));
}

// While a form is on its way its button cannot send it twice.
document.addEventListener("submit", (event) => {
  const button = event.target.method === "post" && event.target.querySelector("button[type=submit]");
  if (button) setTimeout(() => button.setAttribute("aria-disabled", "true"));
});
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("button[aria-disabled=true]")) button.removeAttribute("aria-disabled");
});
