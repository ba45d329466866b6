import { vitePreprocess } from "@sveltejs/vite-plugin-svelte";

export default {
  preprocess: vitePreprocess(),
  compilerOptions: {
    runes: true,
    // On a phone the rows of tables are laid out as cards, which takes away the roles that browsers give them.
    warningFilter: ({ code }) => code !== "a11y_no_redundant_roles",
  },
};
