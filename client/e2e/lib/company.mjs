// A sample company with something to say: for screenshots and for measuring.

const CODE = `// was 256: reconnect storms
let pool = PoolConfig::per_host(64)
    .max_idle(Duration::from_secs(45));`;

const PEOPLE = {
  lena: "Lena Fischer",
  jonas: "Jonas Weber",
  mira: "Mira Okafor",
  aiko: "Aiko Tanaka",
  sofia: "Sofia Nowak",
  dev: "Dev Haldar",
  emil: "Emil Krüger",
};

const VOICE = { creation_content: { type: "org.matrix.msc3417.call" } };

/** Makes the people, two servers with their channels, and a morning of talk; Lena administers and looks at it. */
export async function furnish(world) {
  const people = {};
  for (const [name, displayname] of Object.entries(PEOPLE)) {
    const account = await world.account(name, { admin: name === "lena" });
    const person = await world.visitor(account);
    await person.call("PUT", `profile/${encodeURIComponent(account.userId)}/displayname`, { displayname });
    people[name] = person;
  }
  const { lena, jonas, mira, aiko, sofia, dev } = people;
  const everybody = Object.values(people).filter((person) => person !== lena);
  const room = (name, more = {}) => lena.createRoom({ name, members: everybody, ...more });

  const announcements = await room("announcements", { power_level_content_override: { events_default: 50 } });
  const general = await room("general");
  const train = await room("release-train", {
    topic: "v2.14 rollout · freeze ends Friday 16:00 · runbook in pins",
  });
  const incidents = await room("incidents");
  const security = await room("security-review", { members: [aiko] });
  const standup = await room("Standup", VOICE);
  const focus = await room("Focus room", VOICE);
  const engineering = await lena.createSpace("Engineering", [train, incidents, security], {
    members: everybody,
  });
  const voice = await lena.createSpace("Voice", [standup, focus], { members: everybody });
  const server = await lena.createSpace("Northwind Labs", [announcements, general, engineering, voice], {
    members: everybody,
    topic: "Everybody at Northwind Labs",
  });
  await lena.createSpace("Design Guild", [await room("critique")], { members: [sofia] });

  await talk({ lena, jonas, mira, aiko, sofia, dev }, { train, incidents, general });
  const { room_id: direct } = await sofia.call("POST", "createRoom", {
    preset: "trusted_private_chat",
    is_direct: true,
    invite: [lena.userId],
  });
  await lena.call("POST", `join/${encodeURIComponent(direct)}`, {});
  await lena.call("PUT", `user/${encodeURIComponent(lena.userId)}/account_data/m.direct`, {
    [sofia.userId]: [direct],
  });
  await sofia.sendText(direct, "Do you have ten minutes before lunch?");
  return { people, rooms: { announcements, general, train, incidents, standup, focus, server, direct } };
}

async function talk({ lena, jonas, mira, aiko, dev }, { train, incidents, general }) {
  const html = (body, formatted) => ({
    msgtype: "m.text",
    body,
    format: "org.matrix.custom.html",
    formatted_body: formatted,
  });
  const canary = await jonas.send(
    train,
    html(
      "Canary for v2.14 is live on 5 % of the edge nodes. Reconnect p99 dropped from 212 ms to 148 ms.",
      "Canary for <strong>v2.14</strong> is live on 5 % of the edge nodes. Reconnect p99 dropped from <code>212 ms</code> to <code>148 ms</code>.",
    ),
  );
  const react = (person, emoji) =>
    person.send(
      train,
      { "m.relates_to": { rel_type: "m.annotation", event_id: canary, key: emoji } },
      "m.reaction",
    );
  for (const person of [lena, mira, aiko, dev]) await react(person, "🎉");
  for (const person of [mira, dev]) await react(person, "🚀");
  const question = await aiko.send(train, {
    msgtype: "m.text",
    body: "Fewer reconnects than in staging, too. Did you keep the old pool sizing?",
    "m.relates_to": { "m.in_reply_to": { event_id: canary } },
  });
  const thread = (person, body) =>
    person.send(train, {
      msgtype: "m.text",
      body,
      "m.relates_to": {
        rel_type: "m.thread",
        event_id: question,
        is_falling_back: true,
        "m.in_reply_to": { event_id: question },
      },
    });
  await thread(mira, "Half of it. The rest came from idle connections.");
  await thread(jonas, "I can share the graph after standup.");
  await thread(dev, "Please do, the on-call page still shows the old one.");
  await mira.send(
    train,
    html(
      `No, this is what shipped:\n\`\`\`rust\n${CODE}\n\`\`\``,
      `<p>No, this is what shipped:</p><pre><code class="language-rust">${CODE}\n</code></pre>`,
    ),
  );
  await dev.send(train, {
    ...html(
      "Lena Fischer confirmed from our side: the gateway accepts the new handshake.",
      `<a href="https://matrix.to/#/${lena.userId}">Lena Fischer</a> confirmed from our side: the gateway accepts the new handshake.`,
    ),
    "m.mentions": { user_ids: [lena.userId] },
  });
  await lena.sendText(train, "Great, thank you both. Moving to 25 % right after standup.");
  await aiko.send(incidents, {
    msgtype: "m.text",
    body: "Lena Fischer can you look at the pager?",
    "m.mentions": { user_ids: [lena.userId] },
  });
  await jonas.sendText(general, "Cake in the kitchen on floor three.");
}
