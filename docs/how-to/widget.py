"""A table of what an API answers, fetched by the page itself: neither page nor kernel nor notebook holds a token.

``ApiTable(api="orders", path="orders", rows="orders")`` shows the list that stands in the reply under ``rows``.
"""

import anywidget
import traitlets

PAGE = """
// Where the server's proxy is: Jupyter tells every page of its own, under any base URL and behind any hub.
function addressOf(api, path) {
  const { baseUrl } = JSON.parse(document.getElementById("jupyter-config-data").textContent);
  return `${baseUrl}jupyter-oidc/api/${encodeURIComponent(api)}/${path}`;
}

// The page is logged in to Jupyter by its cookie; the server adds the token on the way out.
async function call(api, path) {
  const xsrf = document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)?.[1] ?? "";
  const reply = await fetch(addressOf(api, path), { headers: { "X-XSRFToken": xsrf } });
  if (reply.headers.has("X-OIDC-Error")) {
    const { message, action } = await reply.json(); // ours: says what happened and what to do
    throw new Error(`${message} ${action}`);
  }
  if (!reply.ok) {
    throw new Error(`The API answered ${reply.status}.`); // the API's own
  }
  return reply.json();
}

function table(rows) {
  const node = document.createElement("table");
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const head = node.createTHead().insertRow();
  for (const name of columns) {
    const cell = head.appendChild(document.createElement("th"));
    cell.scope = "col";
    cell.textContent = name;
  }
  const body = node.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    for (const name of columns) {
      line.insertCell().textContent = row[name] ?? ""; // as text: what an API sends is never markup
    }
  }
  return node;
}

function render({ model, el }) {
  const button = document.createElement("button");
  button.className = "jp-mod-styled";
  button.textContent = "Read again";
  const shown = document.createElement("div");
  shown.setAttribute("role", "status");
  el.append(button, shown);

  async function read() {
    shown.textContent = "Reading…";
    try {
      const reply = await call(model.get("api"), model.get("path"));
      const rows = model.get("rows") ? reply[model.get("rows")] : reply;
      shown.replaceChildren(table(rows));
    } catch (error) {
      shown.textContent = error.message;
    }
  }

  button.addEventListener("click", read);
  read();
}

export default { render };
"""


class ApiTable(anywidget.AnyWidget):
    """Shows a list of objects that ``api`` answers at ``path``; ``rows`` names the list if it is not the reply itself."""

    _esm = PAGE
    api = traitlets.Unicode().tag(sync=True)
    path = traitlets.Unicode().tag(sync=True)
    rows = traitlets.Unicode("").tag(sync=True)
