/** Upper bounds as the peers have them. */
export const SECONDS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60];

/** 1 KiB to 2 GiB. */
export const SIZES: readonly number[] = Array.from({ length: 22 }, (_, power) => 1024 * 2 ** power);
