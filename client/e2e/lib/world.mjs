// What a story of the client plays in: a real server, the client it serves, and people at browsers of their own.

import { join } from "node:path";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { Homeserver } from "../../../tests/clients/lib/homeserver.mjs";
import { run, temporaryFolder } from "../../../tests/clients/lib/processes.mjs";
import { startBrowser } from "./browser.mjs";
import { Person } from "./person.mjs";

const LDAP = fileURLToPath(new URL("../../../tests/fixtures/ldap", import.meta.url));
/** What `npm run build` has made last; the server is told, so that it need not be built again for it. */
const DIST = fileURLToPath(new URL("../../dist", import.meta.url));
const WITHOUT_CALLS = { calls: { livekit: { mode: "off" } } };

export class World {
  closers = [];
  people = [];

  /**
   * Opens a world for the tests of this file and ends it after them.
   * `settings`: the server's own; `calls`: with an SFU; `directory`: people come from OpenLDAP (tests/fixtures/ldap),
   * with settings of its own where it is a table of them, and with entries of `ldif`, files there, beside the company's.
   */
  static forTests(options = {}) {
    const world = new World();
    before(() => world.open(options));
    after(() => world.close());
    return world;
  }

  async open({
    name = "nordlicht.example",
    settings = {},
    calls = false,
    directory = false,
    ldif = [],
    database,
    listeners = [],
  } = {}) {
    const all = {
      ...(calls ? {} : WITHOUT_CALLS),
      ...(directory ? await this.startDirectory(directory, ldif) : {}),
      ...settings,
      server: { client_dir: DIST, ...settings.server },
    };
    const homeserver = await Homeserver.start({
      name,
      settings: all,
      database,
      listeners,
    });
    this.closers.push(() => homeserver.stop());
    Object.assign(this, { homeserver, origin: homeserver.baseUrl, browser: await startBrowser() });
    this.closers.push(() => this.browser.close());
  }

  async close() {
    for (const close of this.closers.reverse()) await close();
  }

  /** An account of this name, made by the operator; `admin` if asked. */
  account(name, options) {
    return this.homeserver.register(name, options);
  }

  /** Somebody new, signed in by the login form, in a browser profile of their own. */
  async person(name, { admin = false, context: options = {} } = {}) {
    const person = await this.visitor(await this.account(name, { admin }), options);
    await person.signIn();
    return person;
  }

  /** A browser profile of its own for an account (of `account()`), at no page yet. */
  async visitor(account, options = {}) {
    const context = await this.browser.newContext({
      locale: "en-GB",
      viewport: { width: 1440, height: 900 },
      ...options,
    });
    const person = new Person(this, account, context, await context.newPage());
    this.people.push(person);
    return person;
  }

  /** Changes the directory as its administrator. */
  async changeDirectory(ldif) {
    const { ldap, root_dn: name, root_password: password } = this.directory;
    const change = run("ldapmodify", ["-x", "-H", ldap, "-D", name, "-w", password]);
    change.child.stdin.end(ldif);
    await change.hasEnded;
    if (change.child.exitCode !== 0) throw new Error(change.lines.join("\n"));
  }

  async startDirectory(settings, ldif) {
    const folder = temporaryFolder("echorift-directory");
    const directory = run(join(LDAP, "run-slapd"), [
      join(folder, "ldap"),
      ...ldif.flatMap((name) => ["--ldif", join(LDAP, name)]),
      "--until-stdin-closes",
    ]);
    const facts = JSON.parse(await directory.line("ldap://"));
    this.directory = facts;
    this.stopDirectory = async () => {
      directory.child.stdin.end();
      await directory.hasEnded;
    };
    this.closers.push(this.stopDirectory);
    return {
      directory: {
        urls: [facts.ldaps],
        ca_file: facts.ca_file,
        bind_dn: facts.bind_dn,
        bind_password: facts.bind_password,
        base_dn: facts.people_dn,
        user_filter: "(&(objectClass=inetOrgPerson)(uid={username}))",
        ...settings,
      },
    };
  }
}
