package dev.coppice.proxy.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.coppice.common.SqlState;
import dev.coppice.proxy.http.request.SqlRequest;
import dev.coppice.proxy.pgwire.ClientMessages;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pgwire.ProtocolVersion;
import dev.coppice.proxy.pool.PooledSession;
import dev.coppice.proxy.pool.Pools;
import dev.coppice.proxy.relay.LiveSession;
import dev.coppice.proxy.relay.SessionEnd;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One request on its way through the pool: a client that logs in, sends the statements, and leaves. It moves to the pool's
 * home loop and is confined to it, apart from {@link #start} and {@link #cancel}.
 *
 * <p>A batch is committed only when everything in it has succeeded and its result fits into the response. A transaction
 * that is still open at the end, of whatever origin, is rolled back.
 */
final class Exchange implements PooledSession.Host {
    /** Hears of the end, once, on the pool's loop. */
    interface Listener {
        /** @param body the listener's now */
        void ended(HttpResponseStatus status, ByteBuf body);
    }

    private enum Step {
        GREETING,
        STATEMENTS,
        END_OF_TRANSACTION
    }

    private static final PgError COMPUTE_LOST = PgError.of(
            SqlState.CONNECTION_FAILURE,
            "the connection to the branch's compute was lost",
            "Try again: the compute is started anew, and everything that was committed is there.");
    private static final PgError NO_COPY = PgError.of(
            SqlState.FEATURE_NOT_SUPPORTED, "COPY from or to the client is not possible over HTTP", "Use a WebSocket.");
    private static final int HEADER_BYTES = 5;
    private static final byte IDLE = 'I';
    private static final byte IN_TRANSACTION = 'T';
    /** A cancel request may come too early or too late; after this many the server connection is given up. */
    private static final int MAX_CANCELS = 5;

    private static final long CANCEL_AGAIN_MILLIS = 1000;

    private final Channel connection;
    private final SqlRequest request;
    private final ResultWriter writer;
    private final int maxResponseBytes;
    private final Listener listener;
    private final InnerChannel inner;
    private @Nullable PooledSession session;
    private @Nullable ByteBuf rest;
    private @Nullable ByteBuf error;
    private Step step = Step.GREETING;
    private int statement;
    private boolean tooLarge;
    private volatile boolean greeted;
    private volatile boolean cancelled;
    private volatile boolean finished;
    private int cancels;

    private Exchange(
            Channel connection, SqlRequest request, ResultWriter writer, int maxResponseBytes, Listener listener) {
        this.connection = connection;
        this.request = request;
        this.writer = writer;
        this.maxResponseBytes = maxResponseBytes;
        this.listener = listener;
        this.inner = new InnerChannel(connection.remoteAddress(), this::received);
        // The first statement of a batch is the one that begins its transaction.
        this.statement = request.batch() ? -1 : 0;
    }

    /**
     * Begins; to be called on the connection's loop.
     *
     * @param connection of the one who asks
     * @param begin the statement that begins a batch's transaction
     * @param writer for the results; the exchange's from here on
     */
    static Exchange start(
            Channel connection,
            Pools pools,
            Gate.Admission admission,
            SqlRequest request,
            Optional<String> begin,
            ResultWriter writer,
            int maxResponseBytes,
            Listener listener) {
        Exchange exchange = new Exchange(connection, request, writer, maxResponseBytes, listener);
        InnerChannel inner = exchange.inner;
        inner.closeFuture().addListener(_ -> exchange.closed());
        connection.eventLoop().register(inner);
        PooledSession session =
                pools.take(inner, exchange, admission.endpointId(), admission.parameters(), admission.keys());
        session.discardAfterUse();
        exchange.session = session;
        inner.pipeline().fireChannelRead(StatementMessages.encode(inner.alloc(), begin, request.statements()));
        pools.move(inner, session);
        return exchange;
    }

    /** The one who asked has gone: what is running is cancelled, nothing is committed any more. */
    void cancel() {
        cancelled = true;
        PooledSession running = session;
        if (finished) {
            return;
        }
        if (!greeted || running == null || cancels++ == MAX_CANCELS) {
            inner.close();
            return;
        }
        running.cancelRequest();
        connection.eventLoop().schedule(this::cancel, CANCEL_AGAIN_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** What the pool says to its client. */
    private void received(ByteBuf bytes) {
        if (finished) {
            return;
        }
        ByteBuf in = rest == null
                ? bytes.retain()
                : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(inner.alloc(), rest, bytes.retain());
        rest = in;
        while (!finished && in.readableBytes() >= HEADER_BYTES) {
            int length = in.getInt(in.readerIndex() + 1);
            if (length - HEADER_BYTES > maxResponseBytes) {
                tooLarge = true;
                end();
                return;
            }
            if (in.readableBytes() < 1 + length) {
                return;
            }
            byte type = in.readByte();
            in.skipBytes(Integer.BYTES);
            message(type, in.readSlice(length - Integer.BYTES));
        }
        if (!finished && !in.isReadable()) {
            in.release();
            rest = null;
        }
    }

    private void message(byte type, ByteBuf body) {
        switch (type) {
            case 'Z' -> ready(body.readByte());
            case 'E' -> failed(body);
            case 'G', 'W', 'H' -> refused(NO_COPY);
            case 'T' -> rows(body);
            case 'n' -> rows(null);
            case 'D' -> row(body);
            case 'C' -> complete(body.toString(0, body.readableBytes() - 1, UTF_8));
            case 'I' -> complete("");
            default -> {
                // ParseComplete, BindComplete, parameters and notices are not for the one who asks.
            }
        }
    }

    private boolean overflowed() {
        return tooLarge || writer.tooLarge() || writer.starved();
    }

    private boolean collecting() {
        return step == Step.STATEMENTS && statement >= 0 && error == null && !overflowed();
    }

    private void rows(@Nullable ByteBuf description) {
        if (collecting()) {
            writer.begin(request.statements().get(statement), description);
        }
    }

    private void row(ByteBuf body) {
        if (collecting()) {
            writer.row(body);
            if (overflowed() && session != null) {
                session.cancelRequest();
            }
        }
    }

    private void complete(String tag) {
        if (collecting()) {
            writer.complete(tag);
        }
        statement++;
    }

    private void failed(ByteBuf body) {
        if (error == null && !overflowed()) {
            error = ErrorBody.ofErrorResponse(inner.alloc(), body);
        }
    }

    private void ready(byte status) {
        switch (step) {
            case GREETING -> {
                greeted = true;
                step = Step.STATEMENTS;
            }
            case STATEMENTS -> {
                if (status == IDLE) {
                    end();
                    return;
                }
                boolean commit =
                        request.batch() && status == IN_TRANSACTION && error == null && !overflowed() && !cancelled;
                step = Step.END_OF_TRANSACTION;
                send(commit ? "COMMIT" : "ROLLBACK");
            }
            case END_OF_TRANSACTION -> end();
        }
    }

    /** Not from within the write that brought us here. */
    private void send(String sql) {
        EventLoop loop = inner.eventLoop();
        loop.execute(() -> inner.pipeline().fireChannelRead(ClientMessages.query(inner.alloc(), sql)));
    }

    private void end() {
        if (finished) {
            return;
        }
        finished = true;
        if (rest != null) {
            rest.release();
            rest = null;
        }
        ByteBuf problem = error;
        if (problem != null) {
            writer.discard();
            listener.ended(HttpResponseStatus.BAD_REQUEST, problem);
        } else if (writer.starved()) {
            writer.discard();
            listener.ended(HttpResponseStatus.SERVICE_UNAVAILABLE, ErrorBody.of(inner.alloc(), HttpReply.NO_MEMORY));
        } else if (overflowed()) {
            writer.discard();
            listener.ended(
                    HttpResponseStatus.INSUFFICIENT_STORAGE, ErrorBody.of(inner.alloc(), tooLarge(maxResponseBytes)));
        } else {
            listener.ended(HttpResponseStatus.OK, writer.finish());
        }
        inner.eventLoop().execute(inner::close);
    }

    private static PgError tooLarge(int maxBytes) {
        return PgError.of(
                SqlState.PROGRAM_LIMIT_EXCEEDED,
                "the result is larger than " + maxBytes + " bytes",
                "Ask for fewer rows at a time, use a WebSocket, or raise proxy.http.max_response_megabytes.");
    }

    private void closed() {
        if (!finished && error == null && !overflowed()) {
            error = ErrorBody.of(inner.alloc(), COMPUTE_LOST);
        }
        end();
    }

    @Override
    public ProtocolVersion version() {
        return ProtocolVersion.V3_0;
    }

    @Override
    public void began(LiveSession begun) {
        // The statements are on their way already.
    }

    @Override
    public void ended(SessionEnd who, String why) {
        // The channel is closed next, which says the same.
    }

    @Override
    public void refused(String sqlState, byte[] errorResponse) {
        ByteBuf frame = Unpooled.wrappedBuffer(errorResponse);
        failed(frame.skipBytes(HEADER_BYTES));
        end();
    }

    @Override
    public void refused(PgError reason) {
        if (error == null) {
            error = ErrorBody.of(inner.alloc(), reason);
        }
        end();
    }
}
