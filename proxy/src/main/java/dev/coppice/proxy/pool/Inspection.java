package dev.coppice.proxy.pool;

import java.util.List;
import java.util.Optional;

/**
 * What the text of a request means for the session it runs in.
 *
 * @param pin why the client must keep its server connection
 * @param listens channels
 * @param unlistens channels; {@code *} is all of them
 * @param deallocatesAll whether the server forgets all prepared statements
 * @param deallocates the name in DEALLOCATE, if that is all there is
 * @param discardsAll whether it is DISCARD ALL and nothing else, so that nothing is left behind
 */
record Inspection(
        Optional<PinReason> pin,
        List<String> listens,
        List<String> unlistens,
        boolean deallocatesAll,
        Optional<String> deallocates,
        boolean discardsAll) {
    /** Of nearly everything. */
    static final Inspection NOTHING =
            new Inspection(Optional.empty(), List.of(), List.of(), false, Optional.empty(), false);

    /** Of something that cannot be looked through. */
    static Inspection pinned(PinReason reason) {
        return new Inspection(Optional.of(reason), List.of(), List.of(), false, Optional.empty(), false);
    }

    /** Whether anything has to be done about it. */
    boolean isNothing() {
        return equals(NOTHING);
    }
}
