package dev.coppice.proxy.http;

import dev.coppice.common.SqlState;
import dev.coppice.proxy.http.request.BadRequestException;
import dev.coppice.proxy.http.request.BatchOptions;
import dev.coppice.proxy.pgwire.PgError;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.util.ReferenceCountUtil;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The response to the request at hand: it may be known before the request has been read to its end, and is sent then.
 * Confined to the connection's event loop.
 */
final class Responder {
    private static final Logger log = LoggerFactory.getLogger(Responder.class);

    private final ChannelHandlerContext ctx;
    private final HttpServices services;
    private String requestId = "";
    private long startedNanos;
    private boolean last;
    private @Nullable FullHttpResponse pending;
    private long bytesSent;

    Responder(ChannelHandlerContext ctx, HttpServices services) {
        this.ctx = ctx;
        this.services = services;
    }

    /** A request has begun. */
    void begin(HttpRequest request) {
        startedNanos = System.nanoTime();
        requestId = UUID.randomUUID().toString();
        last = !HttpUtil.isKeepAlive(request);
    }

    /** The connection is closed behind this response. */
    void closeAfter() {
        last = true;
    }

    boolean closesAfter() {
        return last;
    }

    long bytesSent() {
        return bytesSent;
    }

    void preflight() {
        replace(HttpReply.preflight());
    }

    /** @param json the response's from here on */
    void respond(HttpResponseStatus status, ByteBuf json) {
        replace(HttpReply.json(status, json));
    }

    /** With a result, and headers that say how it came about. */
    void succeed(ByteBuf json, HttpHeaders request) {
        FullHttpResponse response = HttpReply.json(HttpResponseStatus.OK, json);
        BatchOptions.echo(request, response.headers());
        replace(response);
    }

    void fail(HttpResponseStatus status, PgError error) {
        respond(status, ErrorBody.of(ctx.alloc(), error));
    }

    void fail(HttpResponseStatus status, BadRequestException problem) {
        respond(status, ErrorBody.of(ctx.alloc(), problem));
    }

    void refuse(HttpResponseStatus status, String message) {
        fail(status, new BadRequestException(message));
    }

    void tooLarge() {
        fail(
                HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE,
                PgError.of(
                        SqlState.PROGRAM_LIMIT_EXCEEDED,
                        "the request is larger than " + services.settings().maxRequestBytes() + " bytes",
                        "Send less at a time, use a WebSocket, or raise proxy.http.max_request_megabytes."));
    }

    private void replace(FullHttpResponse response) {
        drop();
        pending = response;
    }

    /** Forgets the response. */
    void drop() {
        ReferenceCountUtil.release(pending);
        pending = null;
    }

    /**
     * Sends the response, and closes the connection behind it where that was said.
     *
     * @param sent called when it has gone, or cannot
     */
    void send(Runnable sent) {
        ChannelFuture written = write(sent);
        if (written != null && last) {
            written.addListener(ChannelFutureListener.CLOSE);
        }
    }

    /** The same before the request has come to its end; the caller closes the connection. */
    void sendAhead(Runnable sent) {
        write(sent);
    }

    private @Nullable ChannelFuture write(Runnable sent) {
        FullHttpResponse response = pending;
        pending = null;
        if (response == null) {
            sent.run();
            ctx.close();
            return null;
        }
        if (last) {
            response.headers().set(HttpHeaderNames.CONNECTION, "close");
        }
        response.headers().set(HttpReply.REQUEST_ID, requestId);
        bytesSent += response.content().readableBytes();
        int status = response.status().code();
        long nanos = System.nanoTime() - startedNanos;
        services.metrics().responded(status, nanos);
        log.debug("HTTP request {}: {} after {} ms", requestId, status, TimeUnit.NANOSECONDS.toMillis(nanos));
        ChannelFuture written = ctx.writeAndFlush(response);
        written.addListener(_ -> sent.run());
        return written;
    }
}
