/**
 * The form that asks for a bearer token when the server does not hand one out.
 */

import { fill, h } from "./dom.js";
import { announce } from "./notice.js";

const COMMAND = "tenantwatch token --scope PartnerSecurity.ReadWrite.All";

/**
 * Shows the form in place of the page's content until a token is given.
 *
 * @param {HTMLElement} section where the form goes
 * @param {HTMLElement} content what it stands in for
 * @param {boolean} refused whether the server did not take the last token
 * @returns {Promise<string>} the token
 */
export function askForToken(section, content, refused) {
  return new Promise((resolve) => {
    const field = h("textarea", {
      id: "token", rows: 5, required: true, autocomplete: "off", autocapitalize: "off", spellcheck: "false",
      "aria-describedby": refused ? "token-refused token-hint" : "token-hint",
      "aria-invalid": refused ? "true" : null,
    });
    const submit = (event) => {
      event.preventDefault();
      const token = field.value.trim().replace(/^bearer\s+/i, "");
      if (token === "") return;
      section.hidden = true;
      content.hidden = false;
      fill(section);
      content.focus();
      resolve(token);
    };
    fill(section,
      h("form", { class: "card sign-in-card", on: { submit } },
        h("h1", { id: "sign-in-title" }, "A token, please"),
        h("p", {}, "This server is not in demo mode, so the page needs a bearer token as every other client does. ",
          "On the server's machine this prints one:"),
        h("pre", { class: "command", tabindex: 0 }, h("code", {}, COMMAND)),
        refused ? h("p", { class: "field-problem", id: "token-refused" },
          "The server did not take that token. It may have expired, or come from another data directory.") : null,
        h("label", { for: "token" }, "Bearer token"),
        field,
        h("p", { class: "hint", id: "token-hint" },
          "Kept in this page's memory only; a reload forgets it. ",
          "With PartnerSecurity.Read.All the page can look but not change."),
        h("button", { type: "submit", class: "button button-primary" }, "Use this token")));
    content.hidden = true;
    section.hidden = false;
    if (refused) announce("The server did not take that token.");
    field.focus();
  });
}
