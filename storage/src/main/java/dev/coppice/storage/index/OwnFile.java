package dev.coppice.storage.index;

/**
 * What one timeline's own entries say of a file.
 *
 * @param size in bytes: the size when {@code EXISTS}, the least size when {@code GROWN}, else 0
 */
public record OwnFile(State state, long size) {
    /** How much is known without the parent. */
    public enum State {
        /** No visible entry: as in the parent. */
        NOTHING,
        /** There is no such file, whatever the parent has. */
        ABSENT,
        /** There is, of this size, whatever the parent has. */
        EXISTS,
        /** There is, of this size or the parent's, whichever is larger. */
        GROWN
    }

    /** No event says anything. */
    public static final OwnFile NOTHING = new OwnFile(State.NOTHING, 0);
    /** There is no such file. */
    public static final OwnFile ABSENT = new OwnFile(State.ABSENT, 0);

    /** What {@code older} events and these, which came after, say together. */
    public OwnFile over(OwnFile older) {
        return switch (state) {
            case NOTHING -> older;
            case ABSENT, EXISTS -> this;
            case GROWN ->
                switch (older.state) {
                    case NOTHING -> this;
                    case ABSENT -> exists(size);
                    case EXISTS -> exists(Math.max(size, older.size));
                    case GROWN -> grown(Math.max(size, older.size));
                };
        };
    }

    static OwnFile exists(long size) {
        return new OwnFile(State.EXISTS, size);
    }

    static OwnFile grown(long size) {
        return new OwnFile(State.GROWN, size);
    }

    /** Whether older events do not matter. */
    public boolean isFinal() {
        return state == State.ABSENT || state == State.EXISTS;
    }
}
