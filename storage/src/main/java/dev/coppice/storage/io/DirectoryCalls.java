package dev.coppice.storage.io;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.time.Instant;

/**
 * Linux system calls relative to an open directory, which Java has only in part. All take a name of one component, follow no link and do not
 * block on what they open. Descriptors are plain numbers; the caller closes them.
 */
@SuppressWarnings("restricted")
final class DirectoryCalls {
    static final int AT_FDCWD = -100;
    static final int READ = 0;
    static final int WRITE = 1;
    static final int CREATE_EXCLUSIVELY = WRITE | 0100 | 0200;
    static final int TYPE = 0170000;
    static final int DIRECTORY = 0040000;
    static final int REGULAR = 0100000;

    private static final boolean ARM = System.getProperty("os.arch").equals("aarch64");
    private static final int O_DIRECTORY = ARM ? 040000 : 0200000;
    private static final int O_NOFOLLOW = ARM ? 0100000 : 0400000;
    private static final int O_NONBLOCK = 04000;
    private static final int O_CLOEXEC = 02000000;
    private static final int O_NOCTTY = 0400;
    private static final int O_PATH = 010000000;
    private static final int AT_SYMLINK_NOFOLLOW = 0x100;
    private static final int AT_REMOVEDIR = 0x200;
    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int STATX_BASIC_STATS_AND_BIRTH = 0xfff;
    private static final int ENOENT = 2;
    private static final int EEXIST = 17;
    private static final int BLOCK = 512;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

    private static final MethodHandle OPENAT =
            variadic("openat", FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS, INT, INT), 3);
    private static final MethodHandle STATX =
            plain("statx", FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS, INT, INT, ValueLayout.ADDRESS));
    private static final MethodHandle MKDIRAT =
            plain("mkdirat", FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS, INT));
    private static final MethodHandle UNLINKAT =
            plain("unlinkat", FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS, INT));
    private static final MethodHandle RENAMEAT =
            plain("renameat", FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS, INT, ValueLayout.ADDRESS));
    private static final MethodHandle SYMLINKAT =
            plain("symlinkat", FunctionDescriptor.of(INT, ValueLayout.ADDRESS, INT, ValueLayout.ADDRESS));
    private static final MethodHandle FCHOWN = plain("fchown", FunctionDescriptor.of(INT, INT, INT, INT));
    private static final MethodHandle FCHMOD = plain("fchmod", FunctionDescriptor.of(INT, INT, INT));
    private static final MethodHandle CLOSE = plain("close", FunctionDescriptor.of(INT, INT));

    /** The user that this process acts as. */
    static final int SELF = number("geteuid");

    /** And its group. */
    static final int SELF_GROUP = number("getegid");

    private DirectoryCalls() {}

    /** Opens a directory to find names in, which may be the last component of a longer path when {@code at} is {@link #AT_FDCWD}. */
    static int openDirectory(int at, String name, String shown) throws IOException {
        return open(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0, shown);
    }

    /** Opens a directory to list it, or to change its owner. */
    static int openListing(int at, String name, String shown) throws IOException {
        return open(at, name, READ | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0, shown);
    }

    /** Opens what is there, whatever it is; a fifo does not block, a device is opened and refused by the caller. */
    static int openFile(int at, String name, int how, int mode, String shown) throws IOException {
        return open(at, name, how | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, mode, shown);
    }

    /** Opens what is there only to look at it: does nothing to a fifo or a device. */
    static int openHandle(int at, String name, String shown) throws IOException {
        return open(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, shown);
    }

    private static int open(int at, String name, int flags, int mode, String shown) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment text = arena.allocateFrom(name);
            return checked((int) OPENAT.invokeExact(state, at, text, flags, mode), state, shown);
        } catch (IOException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("openat", e);
        }
    }

    /** Looks at an open file. */
    static FileFacts facts(int descriptor, String shown) throws IOException {
        return facts(descriptor, "", AT_EMPTY_PATH, shown);
    }

    /** Looks at a name, not at what a link points to. */
    static FileFacts facts(int at, String name, String shown) throws IOException {
        return facts(at, name, AT_SYMLINK_NOFOLLOW, shown);
    }

    private static FileFacts facts(int at, String name, int flags, String shown) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment text = arena.allocateFrom(name);
            MemorySegment found = arena.allocate(256, Long.BYTES);
            checked((int) STATX.invokeExact(state, at, text, flags, STATX_BASIC_STATS_AND_BIRTH, found), state, shown);
            return new FileFacts(
                    Short.toUnsignedInt(found.get(ValueLayout.JAVA_SHORT, 28)),
                    found.get(INT, 20),
                    found.get(INT, 16),
                    found.get(ValueLayout.JAVA_LONG, 40),
                    found.get(ValueLayout.JAVA_LONG, 48) * BLOCK,
                    found.get(ValueLayout.JAVA_LONG, 32),
                    time(found, 112),
                    time(found, 80));
        } catch (IOException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("statx", e);
        }
    }

    private static Instant time(MemorySegment found, long at) {
        return Instant.ofEpochSecond(found.get(ValueLayout.JAVA_LONG, at), found.get(INT, at + 8));
    }

    static void makeDirectory(int at, String name, int mode, String shown) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            checked((int) MKDIRAT.invokeExact(state, at, arena.allocateFrom(name), mode), state, shown);
        } catch (IOException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("mkdirat", e);
        }
    }

    static void unlink(int at, String name, boolean directory, String shown) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment text = arena.allocateFrom(name);
            checked((int) UNLINKAT.invokeExact(state, at, text, directory ? AT_REMOVEDIR : 0), state, shown);
        } catch (IOException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("unlinkat", e);
        }
    }

    static void rename(int from, String name, int to, String newName, String shown) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment before = arena.allocateFrom(name);
            MemorySegment after = arena.allocateFrom(newName);
            checked((int) RENAMEAT.invokeExact(state, from, before, to, after), state, shown);
        } catch (IOException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("renameat", e);
        }
    }

    static void symbolicLink(String target, int at, String name, String shown) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment to = arena.allocateFrom(target);
            checked((int) SYMLINKAT.invokeExact(state, to, at, arena.allocateFrom(name)), state, shown);
        } catch (IOException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("symlinkat", e);
        }
    }

    static void changeOwner(int descriptor, int uid, int gid, String shown) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            checked((int) FCHOWN.invokeExact(state, descriptor, uid, gid), state, shown);
        } catch (IOException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("fchown", e);
        }
    }

    static void changeMode(int descriptor, int mode, String shown) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            checked((int) FCHMOD.invokeExact(state, descriptor, mode), state, shown);
        } catch (IOException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("fchmod", e);
        }
    }

    static void close(int descriptor) {
        try (Arena arena = Arena.ofConfined()) {
            // What close(2) reports of a descriptor that was only read from or synced before changes nothing.
            int ignored = (int) CLOSE.invokeExact(arena.allocate(STATE), descriptor);
        } catch (Throwable e) {
            throw new IllegalStateException("close", e);
        }
    }

    private static int checked(int result, MemorySegment state, String shown) throws IOException {
        if (result >= 0) {
            return result;
        }
        int errno = (int) ERRNO.get(state, 0L);
        throw switch (errno) {
            case ENOENT -> new NoSuchFileException(shown);
            case EEXIST -> new FileAlreadyExistsException(shown);
            case 11 -> new UntrustedFileException(shown, "cannot be opened without waiting (a lease?)");
            case 20 -> new UntrustedFileException(shown, "is not a directory");
            case 40 -> new UntrustedFileException(shown, "is a symbolic link");
            case 6 -> new UntrustedFileException(shown, "is a socket, a fifo or a device");
            case 39 -> new java.nio.file.DirectoryNotEmptyException(shown);
            case 1, 13 -> new java.nio.file.AccessDeniedException(shown);
            case 28 -> new FileSystemException(shown, null, "No space left on device");
            default -> new FileSystemException(shown, null, "error " + errno + " (errno(3))");
        };
    }

    private static int number(String function) {
        try {
            return (int) LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(function), FunctionDescriptor.of(INT))
                    .invokeExact();
        } catch (Throwable e) {
            throw new IllegalStateException(function, e);
        }
    }

    private static MethodHandle plain(String function, FunctionDescriptor type) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(function), type, Linker.Option.captureCallState("errno"));
    }

    private static MethodHandle variadic(String function, FunctionDescriptor type, int from) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(function),
                type,
                Linker.Option.captureCallState("errno"),
                Linker.Option.firstVariadicArg(from));
    }
}
