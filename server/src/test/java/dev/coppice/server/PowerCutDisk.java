package dev.coppice.server;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Assumptions;

/**
 * An ext4 file system in a file, whose power can be cut: ext4's shutdown ioctl stops it at once without writing its
 * journal, so what was not synced is gone at the next mount. Renames are not made safe behind the writer's back
 * ({@code noauto_da_alloc}), and the kernel does not commit on its own while a test runs ({@code commit}).
 */
final class PowerCutDisk implements AutoCloseable {
    /** {@code _IOR('X', 125, __u32)} of linux/ext4.h. */
    private static final long EXT4_IOC_SHUTDOWN = 0x8004587DL;

    private static final int GOING_FLAGS_NOLOGFLUSH = 2;
    private static final long SIZE = 8L << 30;
    private static final long FEW_MILLIS = 50_000_000;

    private final Path image;
    private final Path mount;
    private final String options;

    private PowerCutDisk(Path image, Path mount, String options) {
        this.image = image;
        this.mount = mount;
        this.options = options;
    }

    /**
     * Makes the file system and mounts it at {@code mount}, an empty directory; skips the test where that is not possible.
     *
     * @param ordered whether the data of a file reaches the disk before metadata that names it, as ext4 does by default
     */
    static PowerCutDisk create(Path image, Path mount, boolean ordered) throws IOException {
        Assumptions.assumeTrue(
                "root".equals(System.getProperty("user.name")), "a loop mount needs root, so no power can be cut");
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(SIZE);
        }
        Assumptions.assumeTrue(
                Programs.succeeds("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=1", image.toString()),
                "mkfs.ext4 is missing or fails, so no power can be cut");
        String options = "loop,noauto_da_alloc,commit=600,data=" + (ordered ? "ordered" : "writeback");
        PowerCutDisk disk = new PowerCutDisk(image, mount, options);
        Assumptions.assumeTrue(disk.mount(), "loop mounts are not possible here, so no power can be cut");
        Files.delete(mount.resolve("lost+found"));
        return disk;
    }

    private boolean mount() {
        return Programs.succeeds("mount", "-o", options, image.toString(), mount.toString());
    }

    /** From now on nothing reaches the disk; whoever tries gets EIO. */
    @SuppressWarnings("restricted") // calls ioctl
    void cut() {
        try (Arena arena = Arena.ofConfined()) {
            Linker linker = Linker.nativeLinker();
            SymbolLookup library = linker.defaultLookup();
            MethodHandle open = linker.downcallHandle(
                    library.findOrThrow("open"),
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
                    Linker.Option.firstVariadicArg(2));
            MethodHandle ioctl = linker.downcallHandle(
                    library.findOrThrow("ioctl"),
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS),
                    Linker.Option.firstVariadicArg(2));
            MethodHandle close = linker.downcallHandle(
                    library.findOrThrow("close"), FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
            int directory = (int) open.invokeExact(arena.allocateFrom(mount.toString()), 0);
            MemorySegment flags = arena.allocateFrom(ValueLayout.JAVA_INT, GOING_FLAGS_NOLOGFLUSH);
            int result = (int) ioctl.invokeExact(directory, EXT4_IOC_SHUTDOWN, flags);
            int closed = (int) close.invokeExact(directory);
            if (result != 0 || closed != 0) {
                throw new IllegalStateException("cannot shut down the file system at " + mount);
            }
        } catch (Error | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** Power is back: everything that used the file system is killed, and its journal is replayed by a new mount. */
    void restore() {
        unmount();
        if (!mount()) {
            throw new IllegalStateException("the file system in " + image + " cannot be mounted again");
        }
    }

    private void unmount() {
        for (int attempt = 0; !Programs.succeeds("umount", mount.toString()); attempt++) {
            if (attempt == 100) {
                throw new IllegalStateException(mount + " stays busy: " + users());
            }
            users().forEach(ProcessHandle::destroyForcibly);
            LockSupport.parkNanos(FEW_MILLIS);
        }
    }

    /** Processes with a file or their working directory on the file system. */
    private List<ProcessHandle> users() {
        List<ProcessHandle> users = new ArrayList<>();
        long self = ProcessHandle.current().pid();
        ProcessHandle.allProcesses()
                .filter(process -> process.pid() != self && uses(Path.of("/proc/" + process.pid())))
                .forEach(users::add);
        return users;
    }

    private boolean uses(Path process) {
        if (isHere(process.resolve("cwd"))) {
            return true;
        }
        try (DirectoryStream<Path> open = Files.newDirectoryStream(process.resolve("fd"))) {
            for (Path descriptor : open) {
                if (isHere(descriptor)) {
                    return true;
                }
            }
            return false;
        } catch (IOException | java.nio.file.DirectoryIteratorException e) {
            // It has ended meanwhile.
            return false;
        }
    }

    private boolean isHere(Path link) {
        try {
            return Files.readSymbolicLink(link).startsWith(mount);
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public void close() {
        unmount();
        try {
            Files.deleteIfExists(image);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
