package dev.coppice.proxy.pool.sql;

import java.util.List;
import java.util.Optional;

/**
 * What the text of a request means for the session it runs in.
 *
 * @param pin why the client must keep its server connection
 * @param setting a SET or RESET, and nothing else, that can be repeated elsewhere
 * @param listens channels
 * @param unlistens channels; {@code *} is all of them
 * @param deallocatesAll whether the server forgets all prepared statements
 * @param deallocates the name in DEALLOCATE, if that is all there is
 * @param localSetting whether something is set for the transaction that may change how statements are understood
 * @param copies whether there is a COPY, which may read what the client sends next
 */
public record Inspection(
        Optional<PinReason> pin,
        Optional<Setting> setting,
        List<String> listens,
        List<String> unlistens,
        boolean deallocatesAll,
        Optional<String> deallocates,
        boolean localSetting,
        boolean copies) {
    /** Of nearly everything. */
    static final Inspection NOTHING = new Inspection(
            Optional.empty(), Optional.empty(), List.of(), List.of(), false, Optional.empty(), false, false);

    /** Of something that cannot be looked through. */
    public static Inspection pinned(PinReason reason) {
        return new Inspection(
                Optional.of(reason), Optional.empty(), List.of(), List.of(), false, Optional.empty(), true, true);
    }

    /** Whether anything has to be done about it. */
    public boolean isNothing() {
        return equals(NOTHING);
    }
}
