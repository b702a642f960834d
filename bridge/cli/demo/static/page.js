// Draws what the server pushes. Texts are only ever set as text, never as markup.
"use strict";

const NAMES = { mastodon: "Mastodon", x: "X" };
const seen = new Set();
let first = true;

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function anchor(network, id) {
  return `${network}-${id}`;
}

function mark(node, key) {
  if (!seen.has(key)) {
    seen.add(key);
    if (!first) node.classList.add("new");
  }
}

function time(iso) {
  const made = element("time", "", new Date(iso).toLocaleTimeString());
  made.dateTime = iso;
  return made;
}

function postNode(network, post) {
  const node = element("li", "post");
  node.id = anchor(network, post.id);
  node.classList.toggle("mirror", post.mirror);
  node.classList.toggle("reply", post.reply);
  if (post.warning) {
    const warning = element("p", "warning", post.warning);
    warning.dir = "auto";
    node.append(warning);
  }
  const text = element("p", "text", post.text);
  text.dir = "auto";
  const meta = element("p", "meta");
  meta.append(time(post.at));
  if (post.visibility !== "public") meta.append(element("span", "", post.visibility_words));
  meta.append(element("span", "", post.mirror ? "written by the bridge" : "written by you"));
  node.append(text, meta);
  mark(node, node.id);
  return node;
}

function link(network, id, words) {
  const made = element("a", "", words);
  made.href = `#${anchor(network, id)}`;
  return made;
}

function entryNode(entry) {
  const node = element("li", `entry ${entry.state}`);
  const what = element("p", "what");
  const sentence = element("span", "", `${NAMES[entry.source]} → ${NAMES[entry.target]}: ${entry.outcome}`);
  entry.parts.forEach((part, index) => {
    if (part.target_id) sentence.append(" ", link(entry.target, part.target_id, entry.parts.length > 1 ? `part ${index + 1}` : "here"));
  });
  what.append(sentence, element("span", "cost", entry.cost));
  const excerpt = element("p", "excerpt");
  excerpt.dir = "auto";
  excerpt.append(link(entry.source, entry.source_id, entry.excerpt));
  node.append(what, excerpt, element("p", "why", entry.reason));
  const meta = element("p", "meta");
  meta.append(time(entry.at));
  node.append(meta);
  mark(node, `${entry.source}/${entry.source_id}/${entry.state}`);
  return node;
}

function fill(list, nodes, words) {
  list.replaceChildren(...(nodes.length ? nodes : [element("li", "empty", words)]));
}

function draw(state) {
  for (const network of ["mastodon", "x"]) {
    const side = document.getElementById(network);
    side.querySelector(".handle").textContent = state[network].handle;
    fill(side.querySelector(".timeline"), state[network].posts.map((post) => postNode(network, post)), "Nothing here yet. Write the first post above.");
  }
  fill(document.querySelector(".log"), state.log.map(entryNode), "The bridge has read nothing yet.");
  document.getElementById("money").textContent = state.money;
  first = false;
}

async function publish(event) {
  event.preventDefault();
  const form = event.currentTarget;
  const button = form.querySelector("button");
  const problem = form.querySelector(".problem");
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
    problem.textContent = "Not published: the demo cannot be reached. Is it still running?";
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

const events = new EventSource("/events");
const offline = document.getElementById("offline");
events.onopen = () => { offline.hidden = true; };
events.onerror = () => { offline.hidden = false; };
events.onmessage = (event) => draw(JSON.parse(event.data));
