package dev.coppice.storage.io;

import dev.coppice.storage.fault.StorageException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/** The blocks that files really occupy: counting them, and giving a part of them back, by Linux system calls. */
@SuppressWarnings("restricted")
public final class FileSpace {
    private static final int O_WRONLY = 1;
    private static final int O_CLOEXEC = 0x80000;
    private static final int KEEP_SIZE_AND_PUNCH_HOLE = 1 | 2;
    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle OPEN = handle(
            "open",
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
            Linker.Option.firstVariadicArg(2));
    private static final MethodHandle CLOSE =
            handle("close", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    private static final MethodHandle FALLOCATE = handle(
            "fallocate",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG));

    private FileSpace() {}

    /**
     * Gives the blocks of a range back; it then reads as zeroes and the size stays.
     *
     * @return false when the file system cannot, or the file is not there; nothing is changed then
     */
    public static boolean punchHole(Path file, long from, long length) {
        try (Arena arena = Arena.ofConfined()) {
            int descriptor = (int) OPEN.invokeExact(arena.allocateFrom(file.toString()), O_WRONLY | O_CLOEXEC);
            if (descriptor < 0) {
                return false;
            }
            try {
                return punchHole(descriptor, from, length);
            } finally {
                int ignored = (int) CLOSE.invokeExact(descriptor);
            }
        } catch (Throwable e) {
            throw new StorageException("cannot free a part of " + file, e);
        }
    }

    /**
     * Bytes that would be free if everything below {@code directory} were deleted: files with another name elsewhere do
     * not count. 0 when it is not there; what appears or goes meanwhile may count or not.
     */
    public static long allocatedBelow(Path directory) {
        try {
            return DirectoryTree.allocatedBelow(directory);
        } catch (IOException e) {
            throw new StorageException("cannot measure " + directory, e);
        }
    }

    /** As {@link #punchHole(Path, long, long)}, of an open file. */
    static boolean punchHole(int descriptor, long from, long length) {
        try {
            return (int) FALLOCATE.invokeExact(descriptor, KEEP_SIZE_AND_PUNCH_HOLE, from, length) == 0;
        } catch (Throwable e) {
            throw new StorageException("cannot free a part of a file", e);
        }
    }

    private static MethodHandle handle(String function, FunctionDescriptor type, Linker.Option... options) {
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(function), type, options);
    }
}
