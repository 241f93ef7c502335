package dev.coppice.compute;

/** Postgres ended before it was ready. */
final class StartRefusedException extends ComputeException {
    private static final long serialVersionUID = 1L;

    private final String words;

    /** @param words the end of its log */
    StartRefusedException(String words) {
        super("Postgres did not start; its log ends with:\n" + words);
        this.words = words;
    }

    String words() {
        return words;
    }
}
