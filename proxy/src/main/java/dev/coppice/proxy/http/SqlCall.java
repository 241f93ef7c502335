package dev.coppice.proxy.http;

import dev.coppice.common.SqlState;
import dev.coppice.proxy.http.request.BadRequestException;
import dev.coppice.proxy.http.request.BatchOptions;
import dev.coppice.proxy.http.request.SingleHeader;
import dev.coppice.proxy.http.request.SqlRequest;
import dev.coppice.proxy.pgwire.PgError;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import io.netty.channel.Channel;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A request that was let in and is complete: its body is read, off the event loop where it is large, and its statements are
 * sent. Used on the connection's event loop, where the listener is told the end too.
 */
final class SqlCall {
    private static final Logger log = LoggerFactory.getLogger(SqlCall.class);
    /** Bodies above this are parsed on a thread of their own. */
    private static final int SMALL_BODY_BYTES = 64 << 10;

    private static final PgError FAILED =
            PgError.of(SqlState.INTERNAL_ERROR, "the request failed", "See the server's log.");

    private final Channel connection;
    private final HttpServices services;
    private final Gate.Admission admission;
    private final HttpHeaders headers;
    private final MemoryBudget.Share memory;
    private final Exchange.Listener listener;
    private @Nullable Exchange exchange;
    private boolean cancelled;
    private boolean told;

    private SqlCall(
            Channel connection,
            HttpServices services,
            Gate.Admission admission,
            HttpHeaders headers,
            MemoryBudget.Share memory,
            Exchange.Listener listener) {
        this.connection = connection;
        this.services = services;
        this.admission = admission;
        this.headers = headers;
        this.memory = memory;
        this.listener = listener;
    }

    /**
     * @param body the call's from here on
     * @param memory for the result; the caller's to close
     */
    static SqlCall start(
            Channel connection,
            HttpServices services,
            Gate.Admission admission,
            HttpHeaders headers,
            ByteBuf body,
            MemoryBudget.Share memory,
            Exchange.Listener listener) {
        SqlCall call = new SqlCall(connection, services, admission, headers, memory, listener);
        if (body.readableBytes() <= SMALL_BODY_BYTES) {
            call.read(body);
        } else {
            Thread.startVirtualThread(() -> call.read(body));
        }
        return call;
    }

    private void read(ByteBuf body) {
        try (ByteBufInputStream in = new ByteBufInputStream(body)) {
            SqlRequest sql = SqlRequest.parse(in);
            later(() -> run(sql));
        } catch (BadRequestException e) {
            later(() -> fail(e));
        } catch (IOException e) {
            throw new UncheckedIOException("a buffer in memory cannot be closed", e);
        } finally {
            body.release();
        }
    }

    private void run(SqlRequest sql) {
        if (cancelled) {
            return;
        }
        BatchOptions options = BatchOptions.parse(headers);
        ResultWriter writer = new ResultWriter(
                connection.alloc(),
                sql.batch(),
                set(HttpReply.RAW_TEXT_OUTPUT),
                set(HttpReply.ARRAY_MODE),
                services.settings().maxResponseBytes(),
                memory);
        exchange = Exchange.start(
                connection,
                services.pools(),
                admission,
                sql,
                sql.batch() ? Optional.of(options.begin()) : Optional.empty(),
                writer,
                services.settings().maxResponseBytes(),
                (status, result) -> later(() -> tell(status, result)));
    }

    private boolean set(String header) {
        return "true".equalsIgnoreCase(SingleHeader.get(headers, header));
    }

    private void fail(BadRequestException problem) {
        tell(HttpResponseStatus.BAD_REQUEST, ErrorBody.of(connection.alloc(), problem));
    }

    private void tell(HttpResponseStatus status, ByteBuf result) {
        if (told || cancelled) {
            result.release();
        } else {
            told = true;
            listener.ended(status, result);
        }
    }

    /** On the event loop, and not from within what is going on there now. */
    private void later(Runnable task) {
        connection.eventLoop().execute(() -> {
            try {
                task.run();
            } catch (BadRequestException e) {
                fail(e);
            } catch (RuntimeException e) {
                log.error("an HTTP request of {} went wrong", connection.remoteAddress(), e);
                tell(HttpResponseStatus.INTERNAL_SERVER_ERROR, ErrorBody.of(connection.alloc(), FAILED));
            }
        });
    }

    /** The one who asked has gone: the listener hears nothing more. */
    void cancel() {
        cancelled = true;
        if (exchange != null) {
            exchange.cancel();
        }
    }
}
