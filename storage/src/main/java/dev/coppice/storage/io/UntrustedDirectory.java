package dev.coppice.storage.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * A directory in which a compute, which is arbitrary native code, may change everything at any moment: the one way for this process to work
 * there. Every step is relative to a descriptor of the directory, one component at a time, follows no link, and looks at what it has opened before
 * it uses it. So a symbolic or hard link, a fifo, a device, a directory put in another's place or a name changed between two steps makes a step
 * fail with {@link UntrustedFileException}; it never reaches what lies elsewhere, and never waits.
 *
 * <p>Names are {@code /}-separated, relative, without {@code .} and {@code ..}. A file counts when it is regular, has no other name (hard links are
 * how foreign files come in) and belongs to the directory's owner or to this process. The directory itself must be an entry of one that only this process's
 * user can change. Not thread-safe; close it.
 */
public final class UntrustedDirectory implements AutoCloseable {
    /** How many names a directory may have before it is not looked through any further. */
    public static final int NAMES_MAX = 1_000_000;

    private static final int NAME_BYTES_MAX = 255;
    private static final int COMPONENTS_MAX = 64;
    private static final int OWNER_ONLY = 0600;
    private static final int DIRECTORY_OWNER_ONLY = 0700;
    private static final String TEMPORARY = ".coppice-new";

    private final Path path;
    private final int descriptor;
    private final FileFacts facts;

    private UntrustedDirectory(Path path, int descriptor, FileFacts facts) {
        this.path = path;
        this.descriptor = descriptor;
        this.facts = facts;
    }

    /**
     * Opens it.
     *
     * @param path its parent directory is this process's alone
     * @throws NoSuchFileException when it is not there
     * @throws UntrustedFileException when it is a link, or no directory
     */
    public static UntrustedDirectory open(Path path) throws IOException {
        int descriptor = DirectoryCalls.openDirectory(DirectoryCalls.AT_FDCWD, path.toString(), path.toString());
        try {
            return new UntrustedDirectory(path, descriptor, DirectoryCalls.facts(descriptor, path.toString()));
        } catch (IOException | RuntimeException e) {
            DirectoryCalls.close(descriptor);
            throw e;
        }
    }

    /** As {@link #open}; empty when it is not there. */
    public static Optional<UntrustedDirectory> openIfThere(Path path) throws IOException {
        try {
            return Optional.of(open(path));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    /** What the kernel says of a directory. */
    public static FileFacts factsOf(Path path) throws IOException {
        try (UntrustedDirectory directory = open(path)) {
            return directory.facts;
        }
    }

    /** The user that this process acts as. */
    public static int ownUser() {
        return DirectoryCalls.SELF;
    }

    /** And its group. */
    public static int ownGroup() {
        return DirectoryCalls.SELF_GROUP;
    }

    /** Whose it was when it was opened. */
    public int owner() {
        return facts.uid();
    }

    /** What is under a name; empty when nothing is. Says nothing about what is there a moment later. */
    public Optional<FileFacts> look(String name) throws IOException {
        try (Place place = place(name)) {
            return Optional.of(DirectoryCalls.facts(place.directory, place.name, shown(name)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    /** Opens a file to read. */
    public FileChannel read(String name) throws IOException {
        return existing(name, DirectoryCalls.READ, StandardOpenOption.READ);
    }

    /** As {@link #read}, also a file with other names or of another user. Only for a directory that nobody else can change now. */
    public FileChannel readLinked(String name) throws IOException {
        try (Place place = place(name)) {
            int file = DirectoryCalls.openFile(place.directory, place.name, DirectoryCalls.READ, 0, shown(name));
            try {
                if (!DirectoryCalls.facts(file, shown(name)).isRegular()) {
                    throw new UntrustedFileException(shown(name), "is no regular file");
                }
                return reopen(file, StandardOpenOption.READ);
            } finally {
                DirectoryCalls.close(file);
            }
        }
    }

    /** Opens a file that is there to write at any place; it is not cut. */
    public FileChannel write(String name) throws IOException {
        return existing(name, DirectoryCalls.WRITE, StandardOpenOption.WRITE);
    }

    /** Makes a file of mode 0600 that was not there, this process's until {@link #giveTo}. */
    public FileChannel create(String name) throws IOException {
        try (Place place = place(name)) {
            int file = DirectoryCalls.openFile(
                    place.directory, place.name, DirectoryCalls.CREATE_EXCLUSIVELY, OWNER_ONLY, shown(name));
            return channel(file, name, StandardOpenOption.WRITE);
        }
    }

    /**
     * The first bytes of a file, {@code limit} at most.
     *
     * @throws NoSuchFileException when it is not there
     */
    public byte[] head(String name, int limit) throws IOException {
        try (FileChannel channel = read(name)) {
            ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(limit, channel.size()));
            while (buffer.hasRemaining() && channel.read(buffer) >= 0) {
                // Until the end, wherever that is by now.
            }
            return java.util.Arrays.copyOf(buffer.array(), buffer.position());
        }
    }

    /** Puts a small file in the place of whatever is there, and gives it away. Not durable. */
    public void replace(String name, byte[] content, int uid, int gid) throws IOException {
        String temporary = name + TEMPORARY;
        delete(temporary);
        try (Place place = place(temporary)) {
            int file = DirectoryCalls.openFile(
                    place.directory, place.name, DirectoryCalls.CREATE_EXCLUSIVELY, OWNER_ONLY, shown(name));
            try {
                FileFacts made = DirectoryCalls.facts(file, shown(name));
                try (FileChannel channel = reopen(file, StandardOpenOption.WRITE)) {
                    ByteBuffer bytes = ByteBuffer.wrap(content);
                    while (bytes.hasRemaining()) {
                        channel.write(bytes);
                    }
                }
                change(file, made, uid, gid, shown(name));
            } finally {
                DirectoryCalls.close(file);
            }
            DirectoryCalls.rename(place.directory, place.name, place.directory, lastOf(name), shown(name));
        }
    }

    /** Makes a directory that only {@code uid} may enter; one that is there stays, but for its owner. */
    public void makeDirectory(String name, int uid, int gid) throws IOException {
        try (Place place = place(name)) {
            try {
                DirectoryCalls.makeDirectory(place.directory, place.name, DIRECTORY_OWNER_ONLY, shown(name));
            } catch (FileAlreadyExistsException e) {
                // Its kind is looked at below.
            }
            int made = DirectoryCalls.openListing(place.directory, place.name, shown(name));
            try {
                change(made, DirectoryCalls.facts(made, shown(name)), uid, gid, shown(name));
            } finally {
                DirectoryCalls.close(made);
            }
        }
    }

    /** Makes a symbolic link, replacing one that is there. It stays this process's: what it belongs to does not matter to the kernel. */
    public void symbolicLink(String name, String target) throws IOException {
        delete(name);
        try (Place place = place(name)) {
            DirectoryCalls.symbolicLink(target, place.directory, place.name, shown(name));
        }
    }

    /** Removes a name that is no directory; nothing happens when it is not there. */
    public void delete(String name) throws IOException {
        try (Place place = place(name)) {
            DirectoryCalls.unlink(place.directory, place.name, false, shown(name));
        } catch (NoSuchFileException e) {
            // As wanted.
        }
    }

    /** Gives a file to a user, when it is one that counts. */
    public void giveTo(String name, int uid, int gid) throws IOException {
        try (Place place = place(name)) {
            int file = DirectoryCalls.openFile(place.directory, place.name, DirectoryCalls.READ, 0, shown(name));
            try {
                change(file, checked(file, name), uid, gid, shown(name));
            } finally {
                DirectoryCalls.close(file);
            }
        }
    }

    /** Gives the directory itself, not what is in it, to a user. */
    public void giveTo(int uid, int gid) throws IOException {
        if (facts.uid() != uid) {
            int own = listing();
            try {
                change(own, facts, uid, gid, path.toString());
            } finally {
                DirectoryCalls.close(own);
            }
        }
    }

    /**
     * Gives the blocks of a range of a file back; it then reads as zeroes and the size stays.
     *
     * @return false when the file system cannot; nothing is changed then
     */
    public boolean punchHole(String name, long from, long length) throws IOException {
        try (Place place = place(name)) {
            require(DirectoryCalls.facts(place.directory, place.name, shown(name)), name);
            int file = DirectoryCalls.openFile(place.directory, place.name, DirectoryCalls.WRITE, 0, shown(name));
            try {
                checked(file, name);
                return FileSpace.punchHole(file, from, length);
            } finally {
                DirectoryCalls.close(file);
            }
        }
    }

    /** Renames within the directory, over what is there. */
    public void rename(String name, String newName) throws IOException {
        try (Place from = place(name);
                Place to = place(newName)) {
            DirectoryCalls.rename(from.directory, from.name, to.directory, to.name, shown(name));
        }
    }

    /**
     * Takes a file out: gives it to this process's user, then renames it into a directory that only this process's user can change. What lies
     * there afterwards is the file that was checked.
     *
     * @param size what it must have, in bytes
     * @param newPath where nothing is yet
     */
    public void takeOut(String name, long size, Path newPath) throws IOException {
        Path parent = java.util.Objects.requireNonNull(newPath.getParent());
        String newName = String.valueOf(newPath.getFileName());
        try (Place from = place(name);
                UntrustedDirectory target = open(parent)) {
            int file = DirectoryCalls.openFile(from.directory, from.name, DirectoryCalls.READ, 0, shown(name));
            try {
                FileFacts opened = checked(file, name);
                if (opened.size() != size) {
                    throw new UntrustedFileException(shown(name), "has " + opened.size() + " bytes, not " + size);
                }
                change(file, opened, DirectoryCalls.SELF, DirectoryCalls.SELF_GROUP, shown(name));
                DirectoryCalls.changeMode(file, OWNER_ONLY, shown(name));
                DirectoryCalls.rename(from.directory, from.name, target.descriptor, newName, shown(name));
                FileFacts moved = DirectoryCalls.facts(target.descriptor, newName, newPath.toString());
                if (moved.inode() != opened.inode() || !moved.isRegular()) {
                    DirectoryCalls.unlink(target.descriptor, newName, moved.isDirectory(), newPath.toString());
                    throw new UntrustedFileException(shown(name), "was exchanged while it was moved");
                }
            } finally {
                DirectoryCalls.close(file);
            }
        }
    }

    /** The accepted names in the directory, in ascending order. */
    public List<String> list(Predicate<String> accepted) throws IOException {
        List<String> found = new ArrayList<>();
        try (DirectoryListing listing = DirectoryListing.of(descriptor, path.toString())) {
            listing.forEach(NAMES_MAX, name -> {
                if (accepted.test(name)) {
                    found.add(name);
                }
            });
        }
        found.sort(null);
        return found;
    }

    /** A descriptor of its own to list it; the caller closes it. */
    int listing() throws IOException {
        return DirectoryCalls.openListing(descriptor, ".", path.toString());
    }

    /** Makes the names in the directory durable. */
    public void sync() throws IOException {
        int own = listing();
        try (FileChannel channel = reopen(own, StandardOpenOption.READ)) {
            channel.force(true);
        } finally {
            DirectoryCalls.close(own);
        }
    }

    @Override
    public void close() {
        DirectoryCalls.close(descriptor);
    }

    private FileChannel existing(String name, int how, OpenOption option) throws IOException {
        try (Place place = place(name)) {
            // Only a look first: opening a device can do something.
            require(DirectoryCalls.facts(place.directory, place.name, shown(name)), name);
            int file = DirectoryCalls.openFile(place.directory, place.name, how, 0, shown(name));
            return channel(file, name, option);
        }
    }

    /** Takes the descriptor over. */
    private FileChannel channel(int file, String name, OpenOption option) throws IOException {
        try {
            checked(file, name);
            return reopen(file, option);
        } finally {
            DirectoryCalls.close(file);
        }
    }

    private FileFacts checked(int file, String name) throws IOException {
        return require(DirectoryCalls.facts(file, shown(name)), name);
    }

    private FileFacts require(FileFacts found, String name) throws IOException {
        if (!found.isRegular()) {
            throw new UntrustedFileException(
                    shown(name), "is no regular file (mode " + Integer.toOctalString(found.mode()) + ")");
        }
        boolean own = facts.uid() == DirectoryCalls.SELF;
        if (found.uid() != facts.uid() && found.uid() != DirectoryCalls.SELF) {
            throw new UntrustedFileException(shown(name), "belongs to user " + found.uid() + ", not to " + facts.uid());
        }
        // In a directory of this process's own user nobody else can make a link, and the storage itself makes some.
        if (!own && found.links() != 1) {
            throw new UntrustedFileException(shown(name), "has " + found.links() + " names (hard links)");
        }
        return found;
    }

    private static void change(int file, FileFacts before, int uid, int gid, String shown) throws IOException {
        if (before.uid() != uid) {
            DirectoryCalls.changeOwner(file, uid, gid, shown);
        }
    }

    /** The same file once more, as the kernel has it behind the descriptor: no name is looked up. */
    static FileChannel reopen(int file, OpenOption option) throws IOException {
        return FileChannel.open(Path.of("/proc/self/fd/" + file), option);
    }

    private String shown(String name) {
        return path + "/" + name;
    }

    private static String lastOf(String name) {
        return name.substring(name.lastIndexOf('/') + 1);
    }

    /** The directory that a name is in, and its last component. */
    private Place place(String name) throws IOException {
        String[] components = name.split("/", -1);
        if (components.length > COMPONENTS_MAX) {
            throw new UntrustedFileException(shown(name), "lies too deep");
        }
        for (String component : components) {
            requireName(component, name);
        }
        int at = descriptor;
        for (int i = 0; i < components.length - 1; i++) {
            int next;
            try {
                next = DirectoryCalls.openDirectory(at, components[i], shown(name));
            } finally {
                if (at != descriptor) {
                    DirectoryCalls.close(at);
                }
            }
            at = next;
        }
        return new Place(at, at != descriptor, components[components.length - 1]);
    }

    private void requireName(String component, String name) throws UntrustedFileException {
        if (component.isEmpty()
                || component.equals(".")
                || component.equals("..")
                || component.indexOf('\0') >= 0
                || component.getBytes(java.nio.charset.StandardCharsets.UTF_8).length > NAME_BYTES_MAX) {
            throw new UntrustedFileException(shown(name), "is not a name below a directory");
        }
    }

    private record Place(int directory, boolean opened, String name) implements AutoCloseable {
        @Override
        public void close() {
            if (opened) {
                DirectoryCalls.close(directory);
            }
        }
    }
}
