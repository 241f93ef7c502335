package dev.coppice.storage.io;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * Whole trees by descriptors, without following links: removing them and measuring them, also while a compute works in them or when it has
 * left what nobody expects: a million names, or directories in each other beyond the length of any path.
 */
public final class DirectoryTree {
    /** Directories in each other that are held open at a time. */
    private static final int DEPTH_MAX = 48;

    /** Files whose size is asked for; what lies beyond is not counted. */
    private static final int MEASURED_MAX = 2_000_000;

    private static final int PASSES_MAX = 100_000;
    private static final String LIFTED = ".coppice-lifted-";

    private final String shown;
    private long bytes;
    private int measured;
    private long lifted;
    private boolean suspicious;
    private boolean hidden;

    private DirectoryTree(Path root) {
        shown = root.toString();
    }

    /**
     * Removes a file or a directory with everything in it; a missing one is fine.
     *
     * @param root an entry of a directory that only this process's user can change
     */
    public static void delete(Path root) throws IOException {
        Path absolute = root.toAbsolutePath();
        Path parent = Objects.requireNonNull(absolute.getParent(), "the root cannot be deleted");
        String name = String.valueOf(absolute.getFileName());
        int at;
        try {
            at = DirectoryCalls.openDirectory(
                    DirectoryCalls.AT_FDCWD, parent.toRealPath().toString(), parent.toString());
        } catch (NoSuchFileException e) {
            return;
        }
        try {
            new DirectoryTree(root).deleteBelow(at, name);
        } catch (NoSuchFileException e) {
            // As wanted.
        } finally {
            DirectoryCalls.close(at);
        }
    }

    /**
     * Bytes on disk that would be free if everything below were deleted, files with another name elsewhere not counted. 0 when it is not
     * there; what appears or goes meanwhile may count or not, and so may what lies deeper than any program would put it.
     */
    public static long allocatedBelow(Path root) throws IOException {
        DirectoryTree tree = new DirectoryTree(root);
        try (UntrustedDirectory directory = UntrustedDirectory.open(root)) {
            int own = directory.listing();
            try {
                tree.measure(own, 0);
            } finally {
                DirectoryCalls.close(own);
            }
        } catch (NoSuchFileException e) {
            return 0;
        }
        return tree.bytes;
    }

    /**
     * As {@link #allocatedBelow}, where whoever fills the tree may want to hide how much it is: every name of a file counts, and what cannot be measured
     * is more than anything.
     */
    public static long takenBelow(Path root) throws IOException {
        DirectoryTree tree = new DirectoryTree(root);
        tree.suspicious = true;
        try (UntrustedDirectory directory = UntrustedDirectory.open(root)) {
            int own = directory.listing();
            try {
                tree.measure(own, 0);
            } finally {
                DirectoryCalls.close(own);
            }
        } catch (NoSuchFileException e) {
            return 0;
        }
        return tree.hidden || tree.measured >= MEASURED_MAX ? Long.MAX_VALUE / 2 : tree.bytes;
    }

    /**
     * Gives a directory with everything in it to a user: what belongs to the directory's owner or to this process, and is a directory or a file with one name. Links and
     * whatever else there is stay as they are. Nothing may run there as the owner.
     *
     * @param root an entry of a directory that only this process's user can change
     */
    public static void giveTo(Path root, int uid, int gid) throws IOException {
        DirectoryTree tree = new DirectoryTree(root);
        try (UntrustedDirectory directory = UntrustedDirectory.open(root)) {
            int own = directory.listing();
            try {
                tree.give(own, directory.owner(), uid, gid, 0);
            } finally {
                DirectoryCalls.close(own);
            }
        }
    }

    private void give(int directory, int owner, int uid, int gid, int depth) throws IOException {
        try (DirectoryListing listing = DirectoryListing.of(directory, shown)) {
            int ignored = listing.forEach(UntrustedDirectory.NAMES_MAX, name -> {
                FileFacts facts = DirectoryCalls.facts(directory, name, shown);
                if (facts.isDirectory() && depth < DEPTH_MAX) {
                    int child = DirectoryCalls.openListing(directory, name, shown);
                    try {
                        give(child, owner, uid, gid, depth + 1);
                    } finally {
                        DirectoryCalls.close(child);
                    }
                } else if (facts.isRegular()) {
                    int file = DirectoryCalls.openFile(directory, name, DirectoryCalls.READ, 0, shown);
                    try {
                        FileFacts opened = DirectoryCalls.facts(file, shown);
                        if (opened.isRegular() && opened.links() == 1 && isOf(opened, owner)) {
                            DirectoryCalls.changeOwner(file, uid, gid, shown);
                        }
                    } finally {
                        DirectoryCalls.close(file);
                    }
                }
            });
        }
        if (isOf(DirectoryCalls.facts(directory, shown), owner)) {
            DirectoryCalls.changeOwner(directory, uid, gid, shown);
        }
    }

    private static boolean isOf(FileFacts facts, int owner) {
        return facts.uid() == owner || facts.uid() == DirectoryCalls.SELF;
    }

    private void deleteBelow(int parent, String name) throws IOException {
        if (!DirectoryCalls.facts(parent, name, shown).isDirectory()) {
            DirectoryCalls.unlink(parent, name, false, shown);
            return;
        }
        int root = DirectoryCalls.openListing(parent, name, shown);
        try {
            // A pass takes what it can; directories that lie too deep are lifted to the top, and are there in the next
            // pass.
            for (int pass = 0; ; pass++) {
                empty(root, root, 0);
                try {
                    DirectoryCalls.unlink(parent, name, true, shown);
                    return;
                } catch (DirectoryNotEmptyException e) {
                    if (pass == PASSES_MAX) {
                        throw e;
                    }
                }
            }
        } finally {
            DirectoryCalls.close(root);
        }
    }

    private void empty(int root, int directory, int depth) throws IOException {
        try (DirectoryListing listing = DirectoryListing.of(directory, shown)) {
            int ignored = listing.forEach(Integer.MAX_VALUE, name -> remove(root, directory, name, depth));
        }
    }

    private void remove(int root, int directory, String name, int depth) throws IOException {
        try {
            if (!DirectoryCalls.facts(directory, name, shown).isDirectory()) {
                DirectoryCalls.unlink(directory, name, false, shown);
            } else if (depth < DEPTH_MAX) {
                int child = DirectoryCalls.openListing(directory, name, shown);
                try {
                    empty(root, child, depth + 1);
                } finally {
                    DirectoryCalls.close(child);
                }
                DirectoryCalls.unlink(directory, name, true, shown);
            } else {
                DirectoryCalls.rename(directory, name, root, LIFTED + lifted++, shown);
            }
        } catch (NoSuchFileException | DirectoryNotEmptyException | UntrustedFileException e) {
            // Gone, filled or exchanged meanwhile: the next pass sees what is there then.
        }
    }

    private void measure(int directory, int depth) throws IOException {
        try (DirectoryListing listing = DirectoryListing.of(directory, shown)) {
            int ignored = listing.forEach(MEASURED_MAX, name -> {
                if (measured++ < MEASURED_MAX) {
                    count(directory, name, depth);
                }
            });
        } catch (UntrustedFileException e) {
            // Too many names; what was counted is what is said.
            measured = MEASURED_MAX;
        }
    }

    private void count(int directory, String name, int depth) throws IOException {
        try {
            FileFacts facts = DirectoryCalls.facts(directory, name, shown);
            if (facts.isDirectory()) {
                bytes += facts.allocated();
                if (depth < DEPTH_MAX) {
                    int child = DirectoryCalls.openListing(directory, name, shown);
                    try {
                        measure(child, depth + 1);
                    } finally {
                        DirectoryCalls.close(child);
                    }
                } else {
                    hidden = true;
                }
            } else if (suspicious || facts.links() == 1) {
                bytes += facts.allocated();
            }
        } catch (NoSuchFileException | UntrustedFileException e) {
            // Gone or exchanged meanwhile.
        }
    }
}
