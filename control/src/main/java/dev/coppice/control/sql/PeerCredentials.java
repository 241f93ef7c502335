package dev.coppice.control.sql;

import dev.coppice.compute.ComputeAddress.Peer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.channels.SocketChannel;

/**
 * Who listens at the other end of a connected Unix socket, as the kernel says it. Java tells the user, not the process; so this asks by the
 * number of the descriptor, which the program's options let out ({@code --add-exports java.base/sun.nio.ch=ALL-UNNAMED}).
 */
final class PeerCredentials {
    private static final int SOL_SOCKET = 1;
    private static final int SO_PEERCRED = 17;

    /** struct ucred: pid, uid, gid. */
    private static final int SIZE = 3 * Integer.BYTES;

    private static final MethodHandle DESCRIPTOR = descriptor();
    private static final MethodHandle GETSOCKOPT = getsockopt();

    private PeerCredentials() {}

    private static MethodHandle descriptor() {
        try {
            return MethodHandles.lookup()
                    .findVirtual(Class.forName("sun.nio.ch.SelChImpl"), "getFDVal", MethodType.methodType(int.class))
                    .asType(MethodType.methodType(int.class, Object.class));
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(
                    "start Java with --add-exports java.base/sun.nio.ch=ALL-UNNAMED: who listens at a socket is not known otherwise",
                    e);
        }
    }

    @SuppressWarnings("restricted")
    private static MethodHandle getsockopt() {
        return Linker.nativeLinker()
                .downcallHandle(
                        Linker.nativeLinker().defaultLookup().findOrThrow("getsockopt"),
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_INT,
                                ValueLayout.ADDRESS,
                                ValueLayout.ADDRESS));
    }

    static Peer of(SocketChannel channel) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment credentials = arena.allocate(SIZE, Integer.BYTES);
            MemorySegment length = arena.allocate(ValueLayout.JAVA_INT);
            length.set(ValueLayout.JAVA_INT, 0, SIZE);
            int descriptor = (int) DESCRIPTOR.invokeExact((Object) channel);
            int result = (int) GETSOCKOPT.invokeExact(descriptor, SOL_SOCKET, SO_PEERCRED, credentials, length);
            if (result != 0 || length.get(ValueLayout.JAVA_INT, 0) != SIZE) {
                throw new IOException("the kernel does not say who listens");
            }
            return new Peer(
                    credentials.getAtIndex(ValueLayout.JAVA_INT, 1), credentials.getAtIndex(ValueLayout.JAVA_INT, 0));
        } catch (IOException | RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IOException("the kernel cannot be asked who listens", e);
        }
    }
}
