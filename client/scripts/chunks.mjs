// Which code travels together. Left alone, the bundler makes a file of every set of modules that some screens share, which is a
// hundred files of some hundred bytes; what is needed together comes together instead.

import { resolve } from "node:path";

/**
 * Groups of modules for the bundler: each the modules of `roots` with all that they import at once. A module that several of them
 * need belongs to the first, so the order is that in which they are fetched. Libraries of all but the first are files of their
 * own, because they change less often.
 *
 * `roots`: for each group's name, files relative to `folder`.
 */
export function chunksOf(folder, roots) {
  const names = Object.keys(roots);
  /** The group of each module, once the graph is known. */
  let groups;
  return {
    debugName: "chunks",
    name(id, graph) {
      groups ??= gather((module) => graph.getModuleInfo(module));
      const name = groups.get(id);
      if (name === undefined) return null;
      return name !== names[0] && id.includes("node_modules") ? `${name}-libraries` : name;
    },
  };

  function gather(infoOf) {
    const found = new Map();
    for (const name of names) {
      const open = roots[name].map((file) => resolve(folder, file));
      for (let id = open.pop(); id !== undefined; id = open.pop()) {
        if (found.has(id)) continue;
        found.set(id, name);
        open.push(...(infoOf(id)?.importedIds ?? []));
      }
    }
    return found;
  }
}
