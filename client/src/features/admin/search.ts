import { useNavigate, useSearch } from "@tanstack/react-router";

const FROM = "/shell/admin/$page" as const;

/** The filters of the page, which stand in its address. */
export function useFilters() {
  const search = useSearch({ from: FROM });
  const navigate = useNavigate({ from: "/admin/$page" });
  const set = (change: Partial<typeof search>) =>
    void navigate({
      replace: true,
      search: (before) => {
        const after = { ...before, ...change };
        for (const key of Object.keys(after) as (keyof typeof after)[]) if (!after[key]) delete after[key];
        return after;
      },
    });
  return { ...search, set };
}
