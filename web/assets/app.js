/**
 * The page: reads the address, shows the view it names, and keeps the clocks running.
 *
 * Addresses: `#/` and `#/?status=…` are the list, `#/alerts/{id}` is one alert. The part after `#`
 * is used because it needs no help of the server, and an address can be shared.
 */

import { Api } from "./api.js";
import { refreshTimes } from "./clock.js";
import { Counts } from "./counts.js";
import { DetailView } from "./detail.js";
import { fill } from "./dom.js";
import { ListView } from "./list.js";
import { readQuery } from "./query.js";
import { Session } from "./session.js";
import { askForToken } from "./signin.js";

/** How often clocks and relative times are drawn anew. */
const REDRAW_EVERY_MS = 20_000;

const main = document.getElementById("main");
const signIn = document.getElementById("sign-in");

const session = new Session((refused) => askForToken(signIn, main, refused));
const api = new Api(session);
const counts = new Counts(api, document.getElementById("counts"));
const list = new ListView(api, () => counts.refresh());
const detail = new DetailView(api, alertChanged, () => { location.hash = list.address; });

/** The alert that is shown; null while the list is. */
let openAlertId = null;

/** Where the list stood when an alert was opened. */
let listScroll = 0;

function alertChanged(alert) {
  list.update(alert);
  counts.refresh();
}

/** Takes an address apart. What makes no sense leads to the list. */
function readAddress() {
  const [path, parameters = ""] = location.hash.replace(/^#/, "").split("?", 2);
  const match = /^\/alerts\/([^/]+)$/.exec(path);
  return { alertId: match === null ? null : decoded(match[1]), query: readQuery(parameters) };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function route() {
  const { alertId, query } = readAddress();
  if (alertId === null) showList(query);
  else await showAlert(alertId);
}

function showList(query) {
  const cameFrom = openAlertId;
  openAlertId = null;
  if (list.root.parentNode !== main) fill(main, list.root);
  list.show(query);
  document.title = `${list.title} · Tenantwatch`;
  if (cameFrom === null) return;
  list.focus(cameFrom);
  window.scrollTo(0, listScroll);
}

async function showAlert(id) {
  if (openAlertId === null) listScroll = window.scrollY;
  openAlertId = id;
  fill(main, detail.root);
  window.scrollTo(0, 0);
  await detail.show(id);
  if (openAlertId !== id) return;
  document.title = `${detail.title} · Tenantwatch`;
  detail.focus();
}

// The skip link may not change the address, which names the view.
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});

window.addEventListener("hashchange", route);
setInterval(() => refreshTimes(main), REDRAW_EVERY_MS);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  refreshTimes(main);
  counts.refresh();
});

route();
counts.refresh();
