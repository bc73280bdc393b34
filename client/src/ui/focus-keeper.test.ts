// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test } from "vitest";
import { keepFocus } from "./focus-keeper";

let stop: () => void;
beforeEach(() => {
  stop = keepFocus();
});
afterEach(() => {
  stop();
  document.body.replaceChildren();
});

function show(html: string): void {
  document.body.innerHTML = html;
}
const at = (id: string) => document.getElementById(id) as HTMLElement;
const focused = () => document.activeElement?.id;
const press = () =>
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
/** Mutations are told in a microtask; windows that close have two frames to say where the focus goes. */
const told = () => Promise.resolve();
const settled = () =>
  new Promise((resolve) =>
    requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(resolve))),
  );

const ROWS = `<main>
  <input id="add"><ul>
    <li class="row" id="one"><button id="edit-1">Edit</button><button id="delete-1">Delete</button></li>
    <li class="row" id="two"><button id="edit-2">Edit</button><button id="delete-2">Delete</button></li>
    <li class="row" id="three"><button id="edit-3">Edit</button><button id="delete-3">Delete</button></li>
  </ul></main>`;

test.each([
  ["one", "delete-1", "delete-2"],
  ["two", "delete-2", "delete-3"],
  ["two", "edit-2", "edit-3"],
  ["three", "delete-3", "delete-2"],
])("when row %s goes under %s, the same button of its neighbour has the focus", async (row, from, to) => {
  show(ROWS);
  press();
  at(from).focus();
  at(row).remove();
  await told();
  expect(focused()).toBe(to);
});

test("after the last row, what stands before the list has it", async () => {
  show(ROWS);
  press();
  at("one").remove();
  at("two").remove();
  at("delete-3").focus();
  at("three").remove();
  await told();
  expect(focused()).toBe("add");
});

test("what took the place of a button has its focus", async () => {
  show('<p><button id="before">Before</button><span><button id="start">Start</button></span></p>');
  press();
  at("start").focus();
  const cancel = document.createElement("div");
  cancel.innerHTML = '<button id="cancel">Cancel</button>';
  at("start").replaceWith(cancel);
  await told();
  expect(focused()).toBe("cancel");
});

test("a button that can be pressed no more hands on to what stands before it", async () => {
  show('<form><input id="name"><button id="save">Save</button></form><button id="far">Far</button>');
  press();
  at("save").focus();
  (at("save") as HTMLButtonElement).disabled = true;
  await settled();
  expect(focused()).toBe("name");
});

test("a window that closes after its row was deleted leads to the row's neighbour", async () => {
  show(`${ROWS}<div id="window" role="alertdialog"><button id="confirm">Delete</button></div>`);
  press();
  at("delete-1").focus();
  at("confirm").focus();
  at("one").remove();
  await told();
  expect(focused()).toBe("confirm");
  at("window").remove();
  await settled();
  expect(focused()).toBe("delete-2");
});

test("what is hidden for a moment has the focus again when it is back", async () => {
  show(`<main id="page"><button id="language">Language</button></main><button id="far">Far</button>
    <div id="list" role="listbox"><button id="choice">Deutsch</button></div>`);
  press();
  at("language").focus();
  at("choice").focus();
  at("page").setAttribute("inert", "");
  at("list").remove();
  await settled();
  expect(focused()).toBe("");
  at("page").removeAttribute("inert");
  await settled();
  expect(focused()).toBe("language");
});

test("a row that is scrolled out of a log leaves the focus to the log", async () => {
  show(
    '<div id="log" role="log" tabindex="0"><div><article id="old"><button id="open">Open</button></article></div></div>',
  );
  press();
  at("open").focus();
  at("old").remove();
  await told();
  expect(focused()).toBe("log");
});

test("whoever uses the mouse, or takes the focus away on purpose, is left alone", async () => {
  show(ROWS);
  press();
  at("delete-1").focus();
  at("delete-1").blur();
  at("two").remove();
  await settled();
  expect(focused()).toBe("");
  at("delete-3").focus();
  document.body.dispatchEvent(new Event("pointerdown", { bubbles: true }));
  at("three").remove();
  await settled();
  expect(focused()).toBe("");
});
