package dev.coppice.proxy.http;

import dev.coppice.common.SqlState;
import dev.coppice.proxy.http.request.BadRequestException;
import dev.coppice.proxy.http.request.ConnectionString;
import dev.coppice.proxy.http.websocket.WebSocketHandshake;
import dev.coppice.proxy.pgwire.PgError;
import dev.coppice.proxy.relay.LiveSession;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.util.ReferenceCountUtil;
import java.util.List;
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
        RUNNING,
        /** It is refused, and has been told; what still comes is not looked at. */
        LEAVING
    }

    private static final Logger log = LoggerFactory.getLogger(RequestHandler.class);
    private static final String SQL_PATH = "/sql";
    /** For whoever is still sending, to read the answer before the connection goes, in milliseconds. */
    private static final long LEAVING_MILLIS = 2000;

    private static final PgError SHUTTING_DOWN =
            PgError.of(SqlState.ADMIN_SHUTDOWN, "Coppice is shutting down", "Try again once it is back.");

    private final HttpServices services;
    private final Gate gate;
    private ChannelHandlerContext ctx;
    private Intake intake;
    private Responder responder;
    private MemoryBudget.Share memory;
    private Step step = Step.IDLE;
    private boolean begun;
    private boolean draining;
    private @Nullable HttpRequest request;
    private @Nullable RequestBody body;
    private Gate.@Nullable Admission admission;
    private @Nullable SqlCall call;
    private long bytesFromClient;

    @SuppressWarnings("NullAway.Init")
    RequestHandler(HttpServices services, Gate gate) {
        this.services = services;
        this.gate = gate;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        ctx = context;
        intake = new Intake(context);
        responder = new Responder(context, services);
        memory = services.memory().share();
        intake.ask();
    }

    // --- Reading -----------------------------------------------------------------------------------------------------

    /** Takes what was read ahead, or asks for more. */
    private void readOn() {
        Object next = intake.takeOrAsk();
        if (next != null) {
            channelRead(ctx, next);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        intake.readComplete();
        context.fireChannelReadComplete();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        intake.arrived();
        if (step == Step.RUNNING || step == Step.ADMISSION) {
            intake.keep(message);
        } else if (step == Step.LEAVING) {
            ReferenceCountUtil.release(message);
            intake.ask();
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
        responder.begin(head);
        memory = services.memory().share();
        step = Step.BODY;
        body = RequestBody.discarded(memory);
        if (head.decoderResult().isFailure()) {
            ReferenceCountUtil.release(head);
            broken();
            return;
        }
        try {
            route(head);
        } catch (BadRequestException e) {
            responder.fail(HttpResponseStatus.BAD_REQUEST, e);
        }
        if (step == Step.BODY || step == Step.LEAVING) {
            intake.ask();
        }
    }

    private void route(HttpRequest head) {
        int query = head.uri().indexOf('?');
        String path = query < 0 ? head.uri() : head.uri().substring(0, query);
        if (isEncoded(head)) {
            responder.refuse(
                    HttpResponseStatus.BAD_REQUEST, "the only Transfer-Encoding that is understood is chunked");
            leave();
        } else if (WebSocketHandshake.asked(head)) {
            return;
        } else if (!path.equals(SQL_PATH)) {
            responder.refuse(HttpResponseStatus.NOT_FOUND, "there is POST /sql, and the WebSocket /v2");
        } else if (head.method().equals(HttpMethod.OPTIONS)) {
            responder.preflight();
        } else if (!head.method().equals(HttpMethod.POST)) {
            responder.refuse(HttpResponseStatus.METHOD_NOT_ALLOWED, "SQL is sent with POST");
        } else if (HttpUtil.getContentLength(head, 0L) > services.settings().maxRequestBytes()) {
            responder.tooLarge();
            leave();
        } else {
            admit(head.headers());
        }
    }

    /** Whether the body is in another form than we read; somebody before us may read it otherwise. */
    private static boolean isEncoded(HttpRequest head) {
        List<String> encodings = head.headers().getAll(HttpHeaderNames.TRANSFER_ENCODING);
        return !encodings.isEmpty()
                && !(encodings.size() == 1
                        && HttpHeaderValues.CHUNKED.contentEqualsIgnoreCase(
                                encodings.getFirst().strip()));
    }

    /** Answers before the body has come, which nobody would read, and closes a little later. */
    private void leave() {
        step = Step.LEAVING;
        request = null;
        responder.closeAfter();
        responder.sendAhead(memory::close);
        gate.ended("");
        ctx.executor().schedule(() -> ctx.close(), LEAVING_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void content(HttpContent content) {
        RequestBody collected = body;
        if (content.decoderResult().isFailure() || collected == null) {
            broken();
            return;
        }
        bytesFromClient += content.content().readableBytes();
        switch (collected.add(content.content())) {
            case TAKEN -> {}
            case TOO_LARGE -> responder.tooLarge();
            case NO_MEMORY -> responder.fail(HttpResponseStatus.SERVICE_UNAVAILABLE, HttpReply.NO_MEMORY);
        }
        if (collected.endless()) {
            responder.closeAfter();
            answer();
        } else if (!(content instanceof LastHttpContent)) {
            intake.ask();
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
        ConnectionString login = Admissions.login(headers);
        step = Step.ADMISSION;
        // Read, so that a client that leaves meanwhile is noticed.
        intake.ask();
        Admissions.ask(gate, login).whenComplete((found, failure) -> later(() -> admitted(found, failure)));
    }

    private void admitted(Gate.@Nullable Admission found, @Nullable Throwable failure) {
        if (step != Step.ADMISSION || request == null) {
            return;
        }
        step = Step.BODY;
        boolean waits = HttpUtil.is100ContinueExpected(request);
        if (found == null) {
            responder.closeAfter();
            responder.fail(HttpResponseStatus.BAD_REQUEST, Admissions.error(failure));
            if (waits) {
                answer();
                return;
            }
        } else {
            admission = found;
            body = RequestBody.kept(ctx.alloc(), services.settings().maxRequestBytes(), memory);
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

    // --- Running and answering ---------------------------------------------------------------------------------------

    private void run(ByteBuf json) {
        HttpRequest head = request;
        Gate.Admission admitted = admission;
        if (head == null || admitted == null) {
            json.release();
            ctx.close();
            return;
        }
        step = Step.RUNNING;
        intake.ask();
        call = SqlCall.start(ctx.channel(), services, admitted, head.headers(), json, memory, (status, result) -> {
            call = null;
            if (status.equals(HttpResponseStatus.OK)) {
                responder.succeed(result, head.headers());
            } else {
                responder.respond(status, result);
            }
            answer();
        });
    }

    private void broken() {
        responder.closeAfter();
        dropBody();
        responder.refuse(HttpResponseStatus.BAD_REQUEST, "the request is not HTTP");
        answer();
    }

    /** Sends the response that is due, and goes on with the next request. */
    private void answer() {
        step = Step.IDLE;
        admission = null;
        request = null;
        if (draining) {
            responder.closeAfter();
        }
        responder.send(memory::close);
        if (responder.closesAfter()) {
            gate.ended(draining ? "the proxy stops" : "");
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
            responder.closeAfter();
            responder.fail(HttpResponseStatus.BAD_REQUEST, e);
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
        responder.drop();
        memory.close();
        intake.release();
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
        return responder.bytesSent();
    }

    @Override
    public void shutDown() {
        later(() -> {
            draining = true;
            if (cancel()) {
                responder.fail(HttpResponseStatus.SERVICE_UNAVAILABLE, SHUTTING_DOWN);
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
            if (step == Step.IDLE || step == Step.LEAVING) {
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
