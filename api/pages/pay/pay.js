// Refines the customer's page; everything works without it.
"use strict";

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  const says = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = says; }, 2000);
  });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

for (const form of document.querySelectorAll("[data-live]")) {
  const shown = document.getElementById(form.dataset.live);
  let waiting = 0;
  let asked = 0;
  form.querySelector("button").hidden = true;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    // A number and an amount contradict each other: the newer one counts.
    if (event.target.name === "amount" && event.target.value) form.elements.count.value = "";
    if (event.target.name === "count") form.elements.amount.value = "";
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const mine = ++asked;
      const wish = new URLSearchParams(new FormData(form));
      wish.set("fragment", "true");
      const answer = await fetch(`${form.action}?${wish}`, { credentials: "same-origin" });
      // Who is no longer signed in, or whose claim has changed, sees the whole page again.
      if (!answer.ok || answer.redirected) location.reload();
      else if (mine === asked) shown.innerHTML = await answer.text();
    }, 250);
  });
}
