package dev.coppice.proxy.http;

import dev.coppice.common.SqlState;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.pgwire.PgErrorException;
import dev.coppice.proxy.relay.LiveSession;
import io.netty.buffer.ByteBuf;
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
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.util.ReferenceCountUtil;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The requests of one connection, one after the other. Sits behind a {@link io.netty.handler.flow.FlowControlHandler} and
 * asks for each message by itself, so a request that was sent ahead waits its turn. Confined to the connection's event loop.
 */
final class RequestHandler extends ChannelInboundHandlerAdapter implements LiveSession {
    private enum Step {
        /** Between two requests. */
        IDLE,
        /** The password is being checked. */
        ADMISSION,
        /** The body comes, wanted or not. */
        BODY,
        /** The statements run; it is read only to see the client leave. */
        RUNNING
    }

    private static final Logger log = LoggerFactory.getLogger(RequestHandler.class);
    private static final String SQL_PATH = "/sql";
    private static final PgError SHUTTING_DOWN =
            PgError.of(SqlState.ADMIN_SHUTDOWN, "Coppice is shutting down", "Try again once it is back.");

    private final HttpServices services;
    private final Gate gate;
    private ChannelHandlerContext ctx;
    private Step step = Step.IDLE;
    private boolean begun;
    private boolean keepAlive = true;
    private boolean draining;
    private boolean wanting;
    private long startedNanos;
    private String requestId = "";
    private @Nullable HttpRequest request;
    private @Nullable RequestBody body;
    private @Nullable FullHttpResponse pending;
    private Gate.@Nullable Admission admission;
    private @Nullable SqlCall call;
    private @Nullable Object ahead;
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

    // --- Reading -----------------------------------------------------------------------------------------------------

    /** For one more message. What was read may have been none yet: then it is asked for again. */
    private void askForMore() {
        wanting = true;
        ctx.read();
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

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        if (wanting) {
            context.read();
        }
        context.fireChannelReadComplete();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        wanting = false;
        if (step == Step.RUNNING || step == Step.ADMISSION) {
            // It waits its turn, and nothing behind it is asked for.
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

    private void begin(HttpRequest head) {
        request = head;
        startedNanos = System.nanoTime();
        requestId = UUID.randomUUID().toString();
        keepAlive = HttpUtil.isKeepAlive(head) && !draining;
        step = Step.BODY;
        body = RequestBody.discarded();
        if (head.decoderResult().isFailure()) {
            ReferenceCountUtil.release(head);
            broken();
            return;
        }
        try {
            route(head);
        } catch (BadRequestException e) {
            answerLater(HttpResponseStatus.BAD_REQUEST, ErrorBody.of(ctx.alloc(), e));
        }
        if (step == Step.BODY) {
            askForMore();
        }
    }

    private void route(HttpRequest head) {
        int query = head.uri().indexOf('?');
        String path = query < 0 ? head.uri() : head.uri().substring(0, query);
        if (WebSocketHandshake.asked(head)) {
            return;
        }
        if (!path.equals(SQL_PATH)) {
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

    private void content(HttpContent content) {
        RequestBody collected = body;
        if (content.decoderResult().isFailure() || collected == null) {
            broken();
            return;
        }
        bytesFromClient += content.content().readableBytes();
        if (!collected.add(content.content())) {
            tooLarge();
        }
        if (collected.endless()) {
            keepAlive = false;
            answer();
        } else if (!(content instanceof LastHttpContent)) {
            askForMore();
        } else if (collected.wanted()) {
            run(collected.take());
        } else if (request != null && WebSocketHandshake.asked(request)) {
            openWebSocket(request);
        } else {
            answer();
        }
    }

    // --- Letting in --------------------------------------------------------------------------------------------------

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
        // Read, so that a client that leaves meanwhile is noticed.
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
        if (step != Step.ADMISSION || request == null) {
            return;
        }
        step = Step.BODY;
        boolean waits = HttpUtil.is100ContinueExpected(request);
        if (found == null) {
            keepAlive = false;
            answerLater(HttpResponseStatus.BAD_REQUEST, ErrorBody.of(ctx.alloc(), error(failure)));
            if (waits) {
                answer();
                return;
            }
        } else {
            admission = found;
            body = RequestBody.kept(ctx.alloc(), services.settings().maxRequestBytes());
            if (!begun) {
                begun = true;
                gate.began(this);
            }
            if (waits) {
                ctx.writeAndFlush(HttpReply.goOn());
            }
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

    // --- Running and answering
    // -----------------------------------------------------------------------------------------

    private void run(ByteBuf json) {
        HttpRequest head = request;
        Gate.Admission admitted = admission;
        if (head == null || admitted == null) {
            json.release();
            ctx.close();
            return;
        }
        step = Step.RUNNING;
        askForMore();
        call = SqlCall.start(ctx.channel(), services, admitted, head.headers(), json, (status, result) -> {
            call = null;
            answerLater(status, result);
            if (status.equals(HttpResponseStatus.OK) && pending != null) {
                BatchOptions.echo(head.headers(), pending.headers());
            }
            answer();
        });
    }

    private void broken() {
        keepAlive = false;
        dropBody();
        refuse(HttpResponseStatus.BAD_REQUEST, "the request is not HTTP");
        answer();
    }

    private void tooLarge() {
        PgError error = PgError.of(
                SqlState.PROGRAM_LIMIT_EXCEEDED,
                "the request is larger than " + services.settings().maxRequestBytes() + " bytes",
                "Send less at a time, use a WebSocket, or raise proxy.http.max_request_megabytes.");
        answerLater(HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE, ErrorBody.of(ctx.alloc(), error));
    }

    private void refuse(HttpResponseStatus status, String message) {
        answerLater(status, ErrorBody.of(ctx.alloc(), new BadRequestException(message)));
    }

    private void answerLater(HttpResponseStatus status, ByteBuf json) {
        ReferenceCountUtil.release(pending);
        pending = HttpReply.json(status, json, keepAlive);
    }

    /** Sends the response that is due, and goes on with the next request. */
    private void answer() {
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
        int status = response.status().code();
        long nanos = System.nanoTime() - startedNanos;
        services.metrics().responded(status, nanos);
        log.debug("HTTP request {}: {} after {} ms", requestId, status, TimeUnit.NANOSECONDS.toMillis(nanos));
        ChannelFuture written = ctx.writeAndFlush(response);
        if (last) {
            gate.ended(draining ? "the proxy stops" : "");
            written.addListener(ChannelFutureListener.CLOSE);
        } else {
            readOn();
        }
    }

    private void openWebSocket(HttpRequest handshake) {
        try {
            if (begun) {
                // Its log line and its outcome are those of a session that has been going on already.
                throw new BadRequestException("a WebSocket needs a connection of its own");
            }
            FullHttpResponse accepted = WebSocketHandshake.accept(handshake);
            services.metrics().webSockets.mark();
            ctx.writeAndFlush(accepted);
            HttpEntrance.becomeWebSocket(ctx, gate, WebSocketHandshake.host(handshake));
        } catch (BadRequestException e) {
            keepAlive = false;
            answerLater(HttpResponseStatus.BAD_REQUEST, ErrorBody.of(ctx.alloc(), e));
            answer();
        }
    }

    // --- The connection's life ---------------------------------------------------------------------------------------

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (!(event instanceof IdleStateEvent)) {
            context.fireUserEventTriggered(event);
        } else if (step == Step.IDLE || step == Step.BODY) {
            gate.ended("idle");
            context.close();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        cancel();
        step = Step.IDLE;
        dropBody();
        ReferenceCountUtil.release(pending);
        pending = null;
        ReferenceCountUtil.release(ahead);
        ahead = null;
        context.fireChannelInactive();
    }

    private boolean cancel() {
        SqlCall running = call;
        call = null;
        if (running == null) {
            return false;
        }
        services.metrics().cancelled.mark();
        running.cancel();
        return true;
    }

    private void dropBody() {
        if (body != null) {
            body.discard();
        }
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
        later(() -> {
            draining = true;
            if (cancel()) {
                answerLater(HttpResponseStatus.SERVICE_UNAVAILABLE, ErrorBody.of(ctx.alloc(), SHUTTING_DOWN));
                answer();
            } else {
                gate.ended("the proxy stops");
                ctx.close();
            }
        });
    }

    @Override
    public void drain() {
        later(() -> {
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
}
