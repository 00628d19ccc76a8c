import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    // Only the explorer needs a DOM; the rest is tested without one, as it is written.
    environment: 'node',
  },
});
