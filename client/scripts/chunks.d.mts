export function chunksOf(
  folder: string,
  roots: Readonly<Record<string, readonly string[]>>,
): { debugName: string; name: (id: string, graph: Graph) => string | null };

interface Graph {
  getModuleInfo(id: string): { readonly importedIds: readonly string[] } | null;
}
