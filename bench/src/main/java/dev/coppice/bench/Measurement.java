package dev.coppice.bench;

/** One thing that is measured on Coppice and on vanilla Postgres in the same run. */
interface Measurement {
    /** Measures and reports; leaves the servers running. */
    void run(Stage stage);
}
