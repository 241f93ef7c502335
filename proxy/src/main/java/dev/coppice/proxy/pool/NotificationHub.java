package dev.coppice.proxy.pool;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.coppice.common.LogText;
import dev.coppice.common.SqlState;
import dev.coppice.proxy.pgwire.ClientMessages;
import dev.coppice.proxy.pgwire.MessageStream;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.relay.ComputeDial;
import dev.coppice.proxy.relay.ComputeGreeting;
import dev.coppice.proxy.relay.ComputeLoginException;
import dev.coppice.proxy.route.ComputeSocket;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * LISTEN for all pooled clients of one database: one connection listens to whatever anyone listens to, and hands the
 * notifications round. Confined to the pool's home loop.
 *
 * <p>A client's LISTEN goes on only when the hub listens already, so nothing sent after it is missed; what is sent while
 * it is under way may be delivered too. A sleeping compute takes the connection with it, and nobody can notify then. It
 * is made again when the compute is awake, before the first session that could notify begins, and never wakes it.
 */
final class NotificationHub {
    private static final Logger log = LoggerFactory.getLogger(NotificationHub.class);
    private static final long RECONNECT_MILLIS = 500;
    /** A payload is shorter than 8000 bytes (NOTIFY_PAYLOAD_MAX_LENGTH). */
    private static final int MAX_NOTIFICATION_BYTES = 16 << 10;

    private final EndpointPool pool;
    private final PoolShared shared;
    private final String user;
    private final String database;
    private final PooledSession founder;
    private final Map<String, Set<PooledSession>> listeners = new HashMap<>();
    private final Set<PooledSession> awaiting = new LinkedHashSet<>();
    private final Set<String> heard = new HashSet<>();
    private final Queue<Runnable> answers = new ArrayDeque<>();
    private final List<Runnable> afterConnect = new ArrayList<>();
    private final Set<Runnable> unanswered = new LinkedHashSet<>();
    private @Nullable Channel channel;
    private boolean connecting;

    NotificationHub(EndpointPool pool, PoolShared shared, PooledSession founder) {
        this.pool = pool;
        this.shared = shared;
        this.founder = founder;
        this.user = founder.key().parameters().getOrDefault("user", "");
        this.database = founder.key().database();
    }

    /** Subscribes; false when the session must wait until the hub listens. */
    boolean listen(PooledSession session, List<String> channels) {
        channels.forEach(name ->
                listeners.computeIfAbsent(name, _ -> new LinkedHashSet<>()).add(session));
        shared.metrics().listeners.set(size());
        if (channel != null && heard.containsAll(channels)) {
            awaiting.remove(session);
            return true;
        }
        awaiting.add(session);
        if (channel != null) {
            hear(channels);
        } else {
            connect(() -> {});
        }
        return false;
    }

    private int size() {
        return listeners.values().stream().mapToInt(Set::size).sum();
    }

    void unlisten(PooledSession session, List<String> channels) {
        if (channels.contains("*")) {
            leave(session);
        } else {
            channels.forEach(name -> remove(session, name));
        }
    }

    void leave(PooledSession session) {
        awaiting.remove(session);
        List.copyOf(listeners.keySet()).forEach(name -> remove(session, name));
    }

    private void remove(PooledSession session, String name) {
        Set<PooledSession> of = listeners.get(name);
        if (of == null || !of.remove(session)) {
            return;
        }
        shared.metrics().listeners.set(size());
        if (of.isEmpty()) {
            listeners.remove(name);
            if (channel != null && heard.remove(name)) {
                ask("UNLISTEN " + quoted(name), () -> {});
            }
        }
    }

    boolean awaited(PooledSession session) {
        return awaiting.contains(session);
    }

    boolean isLost() {
        return channel == null && !connecting && !listeners.isEmpty();
    }

    /** Whether nobody listens any more; closes it then. */
    boolean closedForGood() {
        if (!listeners.isEmpty() || connecting) {
            return false;
        }
        close();
        return true;
    }

    void close() {
        listeners.clear();
        if (channel != null) {
            channel.close();
        }
    }

    /**
     * Runs it when the hub is known to listen to everything at the compute that runs now: a connection whose end nobody has
     * noticed yet does not answer. Or when it cannot be connected.
     */
    void makeSure(Runnable then) {
        if (listeners.isEmpty()) {
            then.run();
        } else if (channel == null) {
            connect(then);
        } else {
            unanswered.add(then);
            ask("", () -> {
                if (unanswered.remove(then)) {
                    then.run();
                }
            });
        }
    }

    /** @param then runs when it listens to everything again, or could not be connected */
    void connect(Runnable then) {
        afterConnect.add(then);
        if (connecting) {
            return;
        }
        connecting = true;
        Map<String, String> parameters = new LinkedHashMap<>();
        parameters.put("user", user);
        parameters.put("database", database);
        parameters.put("application_name", "coppice: listening for pooled clients");
        ComputeDial.start(
                shared.access(),
                pool.loop(),
                pool.endpointId(),
                parameters,
                founder.keys(),
                new ComputeDial.Listener() {
                    @Override
                    public void opened(Channel compute, ComputeSocket socket, ComputeGreeting greeting) {
                        greeting.passed().release();
                        connecting = false;
                        channel = compute;
                        compute.pipeline().addLast(new Listening());
                        hear(List.copyOf(listeners.keySet()));
                        ask("", NotificationHub.this::connected);
                    }

                    @Override
                    public void refused(ComputeLoginException.Refused refusal) {
                        notConnected("the compute answered " + refusal.sqlState());
                    }

                    @Override
                    public void failed(PgError error) {
                        notConnected(error.message());
                    }
                });
    }

    private void connected() {
        List<Runnable> waiting = List.copyOf(afterConnect);
        afterConnect.clear();
        waiting.forEach(Runnable::run);
    }

    private void notConnected(String why) {
        log.warn(
                "endpoint {}: no connection to listen for pooled clients: {}",
                LogText.field(pool.endpointId()),
                LogText.quoted(why));
        connecting = false;
        for (PooledSession session : List.copyOf(awaiting)) {
            leave(session);
            session.fail(PgError.of(
                    SqlState.CONNECTION_FAILURE,
                    "LISTEN is not possible at the moment: " + why,
                    "Try again, or listen through the endpoint without -pooler."));
            session.proceed();
        }
        connected();
    }

    private void hear(List<String> channels) {
        if (channels.isEmpty()) {
            return;
        }
        String all = channels.stream().map(name -> "LISTEN " + quoted(name)).collect(Collectors.joining("; "));
        ask(all, () -> {
            heard.addAll(channels);
            for (PooledSession session : List.copyOf(awaiting)) {
                session.proceed();
            }
        });
    }

    private void ask(String sql, Runnable answered) {
        Channel to = channel;
        if (to != null) {
            answers.add(answered);
            to.writeAndFlush(ClientMessages.query(to.alloc(), sql), to.voidPromise());
        }
    }

    private static String quoted(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    private void lost() {
        channel = null;
        heard.clear();
        answers.clear();
        connected();
        List<Runnable> unsure = List.copyOf(unanswered);
        unanswered.clear();
        unsure.forEach(this::connect);
        // With the compute asleep there is nothing to hear; the next wake brings the hub back.
        pool.loop()
                .schedule(
                        () -> {
                            if (isLost() && pool.hasServers()) {
                                connect(() -> {});
                            }
                        },
                        RECONNECT_MILLIS,
                        TimeUnit.MILLISECONDS);
    }

    private void deliver(ByteBuf message) {
        // Byte1('A'), Int32 length, Int32 process id, String channel, String payload.
        int start = message.readerIndex() + 1 + 2 * Integer.BYTES;
        if (start >= message.writerIndex()) {
            return;
        }
        int nameEnd = message.indexOf(start, message.writerIndex(), (byte) 0);
        if (nameEnd < 0) {
            return;
        }
        Set<PooledSession> to = listeners.get(message.toString(start, nameEnd - start, UTF_8));
        if (to != null) {
            List.copyOf(to).forEach(session -> session.notified(message.copy()));
        }
    }

    /** The connection's own handler. */
    private final class Listening extends ChannelInboundHandlerAdapter {
        private final MessageStream stream = new MessageStream() {
            @Override
            protected int needed(byte type) {
                return type == 'A' ? MAX_NOTIFICATION_BYTES : HEADER_BYTES;
            }

            @Override
            protected Verdict message(byte type, int totalBytes, ByteBuf in) {
                if (type == 'A' && totalBytes <= MAX_NOTIFICATION_BYTES) {
                    deliver(in.slice(in.readerIndex(), totalBytes));
                } else if (type == 'Z') {
                    Runnable answered = answers.poll();
                    if (answered != null) {
                        answered.run();
                    }
                } else if (type == 'E') {
                    log.debug(
                            "endpoint {}: the connection that listens got an error", LogText.field(pool.endpointId()));
                }
                return Verdict.DROP;
            }

            @Override
            protected void pass(ByteBuf bytes) {
                bytes.release();
            }

            @Override
            protected void settled() {}

            @Override
            protected void violated(String problem) {
                log.error(
                        "a compute of endpoint {} breaks the protocol: {}",
                        LogText.field(pool.endpointId()),
                        LogText.quoted(problem));
                if (channel != null) {
                    channel.close();
                }
            }
        };

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            stream.append(ctx.alloc(), (ByteBuf) message);
            stream.process();
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            stream.release();
            lost();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            log.debug("listening connection: {}", cause.toString());
            ctx.close();
        }
    }
}
