// Sends what is written, and lets what is new arrive; the rest is the script of the bridge's page.
"use strict";

const seen = new Set();

function arrived(first) {
  for (const node of document.querySelectorAll(".stage li[id]")) {
    const key = `${node.id} ${node.className}`;
    if (!seen.has(key) && !first) node.classList.add("new");
    seen.add(key);
  }
}

async function publish(event) {
  event.preventDefault();
  const form = event.currentTarget;
  const button = form.querySelector("button");
  const problem = form.querySelector(".trouble");
  button.disabled = true;
  problem.hidden = true;
  try {
    const body = { network: form.dataset.network, ...Object.fromEntries(new FormData(form)) };
    const answer = await fetch("/posts", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (answer.ok) {
      form.reset();
    } else {
      problem.textContent = (await answer.json()).error;
      problem.hidden = false;
    }
  } catch {
    problem.textContent = form.dataset.lost;
    problem.hidden = false;
  } finally {
    button.disabled = false;
  }
}

for (const form of document.forms) {
  form.addEventListener("submit", publish);
  form.querySelector("textarea").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
}
arrived(true);
new MutationObserver(() => arrived(false)).observe(document.querySelector(".stage"), { childList: true, subtree: true });
