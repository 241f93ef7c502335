package dev.coppice.storage.read;

import dev.coppice.storage.fault.ChecksumMismatchException;
import dev.coppice.storage.history.TimelineHistory;
import dev.coppice.storage.index.Damage;
import java.util.ArrayList;
import java.util.List;

/**
 * Refuses reads of what was lost of one timeline's journal: what is older would be a wrong answer. What is newer is a right one.
 * Thread-safe; costs nothing while nothing is lost.
 */
final class LostEntries {
    private final TimelineHistory history;

    LostEntries(TimelineHistory history) {
        this.history = history;
    }

    /**
     * Looks at a read of blocks, or of none for what is at a path.
     *
     * @param wanted the blocks that are looked for here
     * @throws ChecksumMismatchException when something of it is lost
     */
    void refuse(List<Damage> damage, BlockLocations locations, boolean[] wanted, String path, long lsn) {
        for (Damage lost : damage) {
            if (!lost.concerns(path, lsn)) {
                continue;
            }
            if (lost.isWhole()) {
                if (!isMadeAnew(lost, path, lsn)) {
                    throw new ChecksumMismatchException(lost.refusal(null));
                }
                continue;
            }
            for (int i = 0; i < locations.count(); i++) {
                long block = locations.block(i);
                if (wanted[i] && lost.has(block) && !isOverwritten(lost, path, block, lsn)) {
                    throw new ChecksumMismatchException(lost.refusal(block));
                }
            }
        }
    }

    /** @throws ChecksumMismatchException when a name in the directory may be missing, or not be there any more */
    void refuseNames(String directory, long lsn) {
        for (Damage lost : all()) {
            if (lost.concernsNamesIn(directory, lsn) && !isMadeAnew(lost, lost.path(), lsn)) {
                throw new ChecksumMismatchException(lost.refusal(null));
            }
        }
    }

    /** @throws ChecksumMismatchException when it cannot be told which directories there are */
    void refuseDirectories(long lsn) {
        for (Damage lost : all()) {
            if (lost.path().isEmpty() && lost.concerns("", lsn)) {
                throw new ChecksumMismatchException(lost.refusal(null));
            }
        }
    }

    private List<Damage> all() {
        List<Damage> all = new ArrayList<>(history.askTail(tail -> tail.damage()));
        all.addAll(history.layers().damage());
        return all;
    }

    private boolean isOverwritten(Damage lost, String path, long block, long lsn) {
        return BlockVersions.of(history, path, block, lsn, lsn).stream()
                .anyMatch(version -> Long.compareUnsigned(version.sequence(), lost.sequence()) > 0);
    }

    private boolean isMadeAnew(Damage lost, String path, long lsn) {
        return !path.isEmpty()
                && BlockVersions.of(history, path, 0, lsn, lsn).stream()
                        .filter(version -> switch (version.kind()) {
                            case CREATE, PUT, UNLINK -> true;
                            case PAGE, ZERO, TRUNCATE -> false;
                        })
                        .anyMatch(version -> Long.compareUnsigned(version.sequence(), lost.sequence()) > 0);
    }
}
