package dev.coppice.proxy.http;

import dev.coppice.common.SqlState;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pgwire.PgErrorException;
import dev.coppice.proxy.relay.LiveSession;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.ReferenceCountUtil;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The requests of one connection, one after the other. Sits behind a {@link FlowControlHandler} and asks for each message by
 * itself, so a request that was sent ahead waits its turn. Confined to the connection's event loop.
 */
final class RequestHandler extends ChannelInboundHandlerAdapter implements LiveSession {
    private enum Step {
        /** Between two requests. */
        IDLE,
        /** The password is being checked; nothing is read. */
        ADMISSION,
        /** The body comes. */
        BODY,
        /** The response is known, what is left of the body is not wanted. */
        DISCARD,
        /** The statements run; it is read only to see the client leave. */
        RUNNING
    }

    private static final Logger log = LoggerFactory.getLogger(RequestHandler.class);
    private static final String SQL_PATH = "/sql";
    private static final PgError SHUTTING_DOWN =
            PgError.of(SqlState.ADMIN_SHUTDOWN, "Coppice is shutting down", "Try again once it is back.");
    /** What is taken of a body that is too large, so that the one who sends it gets to read why, in bytes. */
    private static final long MAX_DISCARDED_BYTES = 64L << 20;
    /** Bodies above this are parsed on a thread of their own. */
    private static final int SMALL_BODY_BYTES = 64 << 10;

    private final HttpServices services;
    private final Gate gate;
    private ChannelHandlerContext ctx;
    private Step step = Step.IDLE;
    private boolean begun;
    private boolean keepAlive = true;
    private boolean draining;
    private long startedNanos;
    private String requestId = "";
    private @Nullable HttpRequest request;
    private @Nullable HttpRequest upgrade;
    private @Nullable ByteBuf body;
    private @Nullable FullHttpResponse pending;
    private Gate.@Nullable Admission admission;
    private @Nullable Exchange exchange;
    private @Nullable Object ahead;
    private boolean wanting;
    private long discardedBytes;
    private long bytesFromClient;
    private long bytesToClient;

    @SuppressWarnings("NullAway.Init")
    RequestHandler(HttpServices services, Gate gate) {
        this.services = services;
        this.gate = gate;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        ctx = context;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        wanting = false;
        if (step == Step.RUNNING || step == Step.ADMISSION) {
            // The next request, sent ahead: it waits, and nothing behind it is asked for.
            ReferenceCountUtil.release(ahead);
            ahead = message;
        } else if (message instanceof HttpRequest head) {
            begin(head);
        } else if (message instanceof HttpContent content) {
            try {
                content(content);
            } finally {
                content.release();
            }
        } else {
            ReferenceCountUtil.release(message);
        }
    }

    /** For one more message. What was read may have been none yet: then it is asked for again. */
    private void askForMore() {
        wanting = true;
        ctx.read();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        if (wanting) {
            context.read();
        }
        context.fireChannelReadComplete();
    }

    private void begin(HttpRequest head) {
        request = head;
        startedNanos = System.nanoTime();
        requestId = UUID.randomUUID().toString();
        keepAlive = HttpUtil.isKeepAlive(head) && !draining;
        discardedBytes = 0;
        step = Step.DISCARD;
        if (head.decoderResult().isFailure()) {
            ReferenceCountUtil.release(head);
            broken();
            return;
        }
        try {
            route(head);
        } catch (BadRequestException e) {
            respondLater(HttpResponseStatus.BAD_REQUEST, ErrorBody.of(ctx.alloc(), e));
        }
        if (step != Step.ADMISSION) {
            askForMore();
        }
    }

    private void broken() {
        keepAlive = false;
        releaseBody();
        refuse(HttpResponseStatus.BAD_REQUEST, "the request is not HTTP");
        answer();
    }

    private void route(HttpRequest head) {
        int query = head.uri().indexOf('?');
        String path = query < 0 ? head.uri() : head.uri().substring(0, query);
        if (WebSocketHandshake.asked(head)) {
            upgrade = head;
        } else if (!path.equals(SQL_PATH)) {
            refuse(HttpResponseStatus.NOT_FOUND, "there is POST /sql, and the WebSocket /v2");
        } else if (head.method().equals(HttpMethod.OPTIONS)) {
            pending = HttpReply.preflight(keepAlive);
        } else if (!head.method().equals(HttpMethod.POST)) {
            refuse(HttpResponseStatus.METHOD_NOT_ALLOWED, "SQL is sent with POST");
        } else if (HttpUtil.getContentLength(head, 0L) > services.settings().maxRequestBytes()) {
            tooLarge();
        } else {
            admit(head.headers());
        }
    }

    private void admit(HttpHeaders headers) {
        if (headers.contains(HttpHeaderNames.AUTHORIZATION)) {
            throw new BadRequestException(
                    "tokens are not supported: log in with a password in the header " + HttpReply.CONNECTION_STRING);
        }
        String text = headers.get(HttpReply.CONNECTION_STRING);
        if (text == null) {
            throw new BadRequestException("the header " + HttpReply.CONNECTION_STRING + " is missing");
        }
        ConnectionString connection = ConnectionString.parse(text);
        step = Step.ADMISSION;
        // Seen, so that a client that leaves does not wait for its turn.
        askForMore();
        CompletionStage<Gate.Admission> asked;
        try {
            asked = gate.admit(connection.parameters(), connection.host(), connection.password());
        } catch (PgErrorException e) {
            asked = CompletableFuture.failedFuture(e);
        }
        asked.whenComplete((found, failure) -> later(() -> admitted(found, failure)));
    }

    private void admitted(Gate.@Nullable Admission found, @Nullable Throwable failure) {
        if (step != Step.ADMISSION) {
            return;
        }
        if (found != null) {
            admission = found;
            step = Step.BODY;
            if (!begun) {
                begun = true;
                gate.began(this);
            }
            body = ctx.alloc().buffer();
        } else {
            step = Step.DISCARD;
            keepAlive = false;
            respondLater(HttpResponseStatus.BAD_REQUEST, ErrorBody.of(ctx.alloc(), error(failure)));
        }
        if (request != null && HttpUtil.is100ContinueExpected(request)) {
            if (found == null) {
                answer();
                return;
            }
            ctx.writeAndFlush(HttpReply.goOn());
        }
        readOn();
    }

    private static PgError error(@Nullable Throwable failure) {
        Throwable cause = failure instanceof CompletionException wrapped && wrapped.getCause() != null
                ? wrapped.getCause()
                : failure;
        if (cause instanceof PgErrorException known) {
            return known.error();
        }
        log.error("an HTTP request cannot be let in", cause);
        return PgError.of(SqlState.INTERNAL_ERROR, "the request failed", "See the server's log.");
    }

    /** Takes what was read ahead, or asks for more. */
    private void readOn() {
        Object next = ahead;
        ahead = null;
        if (next != null) {
            channelRead(ctx, next);
        } else {
            askForMore();
        }
    }

    private void content(HttpContent content) {
        if (content.decoderResult().isFailure()) {
            broken();
            return;
        }
        int bytes = content.content().readableBytes();
        bytesFromClient += bytes;
        ByteBuf collected = body;
        if (step == Step.BODY && collected != null) {
            if (collected.readableBytes() + bytes > services.settings().maxRequestBytes()) {
                releaseBody();
                step = Step.DISCARD;
                tooLarge();
            } else {
                collected.writeBytes(content.content());
            }
        }
        if (step == Step.DISCARD) {
            discardedBytes += bytes;
            if (discardedBytes > MAX_DISCARDED_BYTES) {
                keepAlive = false;
                answer();
                return;
            }
        }
        if (!(content instanceof LastHttpContent)) {
            askForMore();
        } else if (step == Step.BODY && collected != null) {
            body = null;
            parse(collected);
        } else {
            answer();
        }
    }

    // --- Running ---------------------------------------------------------------------------------------------------

    private void parse(ByteBuf json) {
        step = Step.RUNNING;
        askForMore();
        if (json.readableBytes() <= SMALL_BODY_BYTES) {
            parsed(read(json));
        } else {
            CompletableFuture.supplyAsync(() -> read(json), Thread::startVirtualThread)
                    .thenAccept(result -> later(() -> parsed(result)));
        }
    }

    /** What a body turned out to be. */
    private sealed interface Parsed {
        record Sql(SqlRequest request) implements Parsed {}

        record Malformed(BadRequestException problem) implements Parsed {}
    }

    private static Parsed read(ByteBuf json) {
        try (ByteBufInputStream in = new ByteBufInputStream(json)) {
            return new Parsed.Sql(SqlRequest.parse(in));
        } catch (BadRequestException e) {
            return new Parsed.Malformed(e);
        } catch (java.io.IOException e) {
            return new Parsed.Malformed(new BadRequestException(String.valueOf(e.getMessage())));
        } finally {
            json.release();
        }
    }

    private void parsed(Parsed result) {
        HttpRequest head = request;
        Gate.Admission admitted = admission;
        if (!ctx.channel().isActive() || head == null || admitted == null) {
            return;
        }
        try {
            switch (result) {
                case Parsed.Sql(SqlRequest sql) -> run(head.headers(), admitted, sql);
                case Parsed.Malformed(BadRequestException problem) -> throw problem;
            }
        } catch (BadRequestException e) {
            respondLater(HttpResponseStatus.BAD_REQUEST, ErrorBody.of(ctx.alloc(), e));
            answer();
        }
    }

    private void run(HttpHeaders headers, Gate.Admission admitted, SqlRequest sql) {
        BatchOptions options = BatchOptions.parse(headers);
        ResultWriter writer = new ResultWriter(
                ctx.alloc(),
                sql.batch(),
                set(headers, HttpReply.RAW_TEXT_OUTPUT),
                set(headers, HttpReply.ARRAY_MODE),
                services.settings().maxResponseBytes());
        exchange = Exchange.start(
                ctx.channel(),
                services.pools(),
                admitted,
                sql,
                sql.batch() ? Optional.of(options.begin()) : Optional.empty(),
                writer,
                services.settings().maxResponseBytes(),
                (status, result) -> later(() -> finished(status, result)));
    }

    private static boolean set(HttpHeaders headers, String name) {
        return "true".equalsIgnoreCase(headers.get(name));
    }

    private void finished(HttpResponseStatus status, ByteBuf result) {
        exchange = null;
        if (!ctx.channel().isActive()) {
            result.release();
            return;
        }
        respondLater(status, result);
        HttpRequest head = request;
        if (status.equals(HttpResponseStatus.OK) && head != null && pending != null) {
            BatchOptions.echo(head.headers(), pending.headers());
        }
        answer();
    }

    // --- Answering -------------------------------------------------------------------------------------------------

    private void tooLarge() {
        respondLater(
                HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE,
                ErrorBody.of(
                        ctx.alloc(),
                        PgError.of(
                                SqlState.PROGRAM_LIMIT_EXCEEDED,
                                "the request is larger than "
                                        + services.settings().maxRequestBytes() + " bytes",
                                "Send less at a time, use a WebSocket, or raise proxy.http.max_request_megabytes.")));
    }

    private void refuse(HttpResponseStatus status, String message) {
        respondLater(status, ErrorBody.of(ctx.alloc(), new BadRequestException(message)));
    }

    private void respondLater(HttpResponseStatus status, ByteBuf json) {
        ReferenceCountUtil.release(pending);
        pending = HttpReply.json(status, json, keepAlive);
    }

    /** Sends the response that is due, or becomes a WebSocket, and goes on with the next request. */
    private void answer() {
        HttpRequest handshake = upgrade;
        if (handshake != null) {
            upgrade = null;
            if (openWebSocket(handshake)) {
                return;
            }
        }
        FullHttpResponse response = pending;
        pending = null;
        step = Step.IDLE;
        admission = null;
        request = null;
        if (response == null) {
            ctx.close();
            return;
        }
        boolean last = !keepAlive || draining;
        if (last) {
            response.headers().set(HttpHeaderNames.CONNECTION, "close");
        }
        response.headers().set(HttpReply.REQUEST_ID, requestId);
        bytesToClient += response.content().readableBytes();
        services.metrics().responded(response.status().code());
        long nanos = System.nanoTime() - startedNanos;
        services.metrics().requests.update(nanos, TimeUnit.NANOSECONDS);
        log.debug(
                "HTTP request {} of {}: {} after {} ms",
                requestId,
                ctx.channel().remoteAddress(),
                response.status().code(),
                TimeUnit.NANOSECONDS.toMillis(nanos));
        ChannelFuture written = ctx.writeAndFlush(response);
        if (last) {
            gate.ended(draining ? "the proxy stops" : "");
            written.addListener(ChannelFutureListener.CLOSE);
        } else {
            readOn();
        }
    }

    private boolean openWebSocket(HttpRequest handshake) {
        FullHttpResponse accepted;
        try {
            accepted = WebSocketHandshake.accept(handshake);
        } catch (BadRequestException e) {
            respondLater(HttpResponseStatus.BAD_REQUEST, ErrorBody.of(ctx.alloc(), e));
            return false;
        }
        if (begun) {
            // Its log line and its outcome are those of a session that has been going on already.
            ReferenceCountUtil.release(accepted);
            keepAlive = false;
            refuse(HttpResponseStatus.BAD_REQUEST, "a WebSocket needs a connection of its own");
            return false;
        }
        services.metrics().webSockets.mark();
        ctx.writeAndFlush(accepted);
        ctx.pipeline().addLast(new WebSocketStream());
        gate.openWebSocket(ctx, WebSocketHandshake.host(handshake));
        ctx.pipeline().remove(this);
        ctx.pipeline().remove(IdleStateHandler.class);
        ctx.pipeline().remove(FlowControlHandler.class);
        ctx.pipeline().remove(HttpServerCodec.class);
        ctx.channel().config().setAutoRead(true);
        return true;
    }

    // --- The connection's life ---------------------------------------------------------------------------------------

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof IdleStateEvent) {
            if (step != Step.RUNNING && step != Step.ADMISSION) {
                gate.ended("idle");
                context.close();
            }
        } else {
            context.fireUserEventTriggered(event);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        Exchange running = exchange;
        exchange = null;
        if (running != null) {
            services.metrics().cancelled.mark();
            running.cancel();
        }
        step = Step.IDLE;
        releaseBody();
        ReferenceCountUtil.release(pending);
        pending = null;
        ReferenceCountUtil.release(ahead);
        ahead = null;
        context.fireChannelInactive();
    }

    private void releaseBody() {
        ReferenceCountUtil.release(body);
        body = null;
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        gate.ended(String.valueOf(cause.getMessage()));
        context.close();
    }

    @Override
    public long bytesFromClient() {
        return bytesFromClient;
    }

    @Override
    public long bytesFromCompute() {
        return bytesToClient;
    }

    @Override
    public void shutDown() {
        onLoop(() -> {
            draining = true;
            Exchange running = exchange;
            if (running != null) {
                exchange = null;
                running.cancel();
                respondLater(HttpResponseStatus.SERVICE_UNAVAILABLE, ErrorBody.of(ctx.alloc(), SHUTTING_DOWN));
                answer();
            } else {
                gate.ended("the proxy stops");
                ctx.close();
            }
        });
    }

    @Override
    public void drain() {
        onLoop(() -> {
            draining = true;
            if (step == Step.IDLE) {
                gate.ended("the proxy stops");
                ctx.close();
            }
        });
    }

    /** On the event loop; what goes wrong there ends the connection. */
    private void later(Runnable task) {
        ctx.executor().execute(() -> {
            try {
                task.run();
            } catch (RuntimeException e) {
                log.error("an HTTP request of {} went wrong", ctx.channel().remoteAddress(), e);
                exceptionCaught(ctx, e);
            }
        });
    }

    private void onLoop(Runnable task) {
        if (ctx.executor().inEventLoop()) {
            task.run();
        } else {
            ctx.executor().execute(task);
        }
    }
}
