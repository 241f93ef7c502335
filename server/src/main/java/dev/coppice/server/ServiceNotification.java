package dev.coppice.server;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells systemd how far the server is: the protocol of {@code sd_notify}, one datagram to the socket that {@code NOTIFY_SOCKET} names.
 * The JDK has no datagrams of Unix sockets, so libc is called. Without that variable nothing is done; what cannot be told is
 * logged and changes nothing else.
 */
final class ServiceNotification {
    private static final Logger log = LoggerFactory.getLogger(ServiceNotification.class);
    private static final int AF_UNIX = 1;
    /** With SOCK_CLOEXEC: a Postgres that is started at this moment must not get it. */
    private static final int SOCK_DGRAM = 2 | 0x80000;

    private static final int MSG_NOSIGNAL = 0x4000;
    /** {@code sun_path} of {@code sockaddr_un}. */
    private static final int MAX_PATH_BYTES = 108;

    private final Optional<String> socket;

    /** @param environment of the process */
    ServiceNotification(Map<String, String> environment) {
        this.socket = Optional.ofNullable(environment.get("NOTIFY_SOCKET")).filter(name -> !name.isBlank());
    }

    /** Clients can connect. */
    void ready() {
        send("READY=1\nSTATUS=ready\nMAINPID=" + ProcessHandle.current().pid());
    }

    /** The end has begun. */
    void stopping() {
        send("STOPPING=1\nSTATUS=suspending all computes");
    }

    private void send(String state) {
        socket.ifPresent(name -> {
            try {
                send(name, state);
            } catch (Throwable e) {
                log.warn(
                        "cannot tell systemd \"{}\" by {}: {}",
                        state.lines().findFirst().orElse(""),
                        name,
                        String.valueOf(e));
            }
        });
    }

    private static void send(String name, String state) throws Throwable {
        byte[] path = name.getBytes(StandardCharsets.UTF_8);
        if (path.length >= MAX_PATH_BYTES) {
            throw new IllegalArgumentException("the socket's name is longer than " + (MAX_PATH_BYTES - 1) + " bytes");
        }
        if (path[0] == '@') {
            // The abstract name space.
            path[0] = 0;
        } else if (path[0] != '/') {
            throw new IllegalArgumentException("only Unix sockets are spoken to");
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(Short.BYTES + MAX_PATH_BYTES, Short.BYTES);
            address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
            MemorySegment.copy(path, 0, address, ValueLayout.JAVA_BYTE, Short.BYTES, path.length);
            byte[] message = state.getBytes(StandardCharsets.UTF_8);
            int socket = (int) function(
                            "socket",
                            FunctionDescriptor.of(
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.JAVA_INT))
                    .invokeExact(AF_UNIX, SOCK_DGRAM, 0);
            if (socket < 0) {
                throw new IllegalStateException("no socket can be made");
            }
            try {
                long sent = (long) function(
                                "sendto",
                                FunctionDescriptor.of(
                                        ValueLayout.JAVA_LONG,
                                        ValueLayout.JAVA_INT,
                                        ValueLayout.ADDRESS,
                                        ValueLayout.JAVA_LONG,
                                        ValueLayout.JAVA_INT,
                                        ValueLayout.ADDRESS,
                                        ValueLayout.JAVA_INT))
                        .invokeExact(
                                socket,
                                arena.allocateFrom(ValueLayout.JAVA_BYTE, message),
                                (long) message.length,
                                MSG_NOSIGNAL,
                                address,
                                Short.BYTES + path.length);
                if (sent != message.length) {
                    throw new IllegalStateException("nobody takes the message");
                }
            } finally {
                int _ = (int) function("close", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT))
                        .invokeExact(socket);
            }
        }
    }

    @SuppressWarnings("restricted") // the launcher allows native access
    private static MethodHandle function(String name, FunctionDescriptor descriptor) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor);
    }
}
