package dev.coppice.storage.io;

import dev.coppice.storage.fault.StorageException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/**
 * What a file takes on disk: sparse files are longer than that, and Java cannot ask for it. From {@code statx(2)}, whose
 * structure is the same on every architecture.
 *
 * @param bytes allocated
 * @param links names that the file has
 */
public record DiskUse(long bytes, int links) {
    /** There is no such file. */
    public static final DiskUse NONE = new DiskUse(0, 0);

    private static final int AT_FDCWD = -100;
    private static final int AT_SYMLINK_NOFOLLOW = 0x100;
    private static final int STATX_BASIC_STATS = 0x7ff;
    private static final long STRUCTURE_SIZE = 256;
    private static final long LINKS_OFFSET = 16;
    private static final long BLOCKS_OFFSET = 48;
    private static final int BLOCK = 512;

    @SuppressWarnings("restricted")
    private static final MethodHandle STATX = Linker.nativeLinker()
            .downcallHandle(
                    Linker.nativeLinker().defaultLookup().findOrThrow("statx"),
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.ADDRESS));

    /** Looks at a file, not at what a link points to; {@link #NONE} when it cannot be seen. */
    public static DiskUse of(Path file) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment structure = arena.allocate(STRUCTURE_SIZE, Long.BYTES);
            MemorySegment name = arena.allocateFrom(file.toString());
            int result = (int) STATX.invokeExact(AT_FDCWD, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, structure);
            return result != 0
                    ? NONE
                    : new DiskUse(
                            structure.get(ValueLayout.JAVA_LONG, BLOCKS_OFFSET) * BLOCK,
                            structure.get(ValueLayout.JAVA_INT, LINKS_OFFSET));
        } catch (Throwable e) {
            throw new StorageException("cannot see the size of " + file, e);
        }
    }
}
