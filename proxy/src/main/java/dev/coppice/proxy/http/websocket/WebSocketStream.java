package dev.coppice.proxy.http.websocket;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandler;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.net.SocketAddress;
import java.util.List;

/**
 * Makes a stream of bytes of a WebSocket's binary frames, and the other way round (RFC 6455, section 5):
 *
 * <pre>
 * Byte1 FIN, 3 reserved bits, 4 bits opcode | Byte1 MASK, 7 bits length (126: Int16 follows, 127: Int64) | Byte4 mask
 * | payload, of a client xor the mask
 * </pre>
 *
 * A payload is passed on as it comes: a frame may be of any length, and is never kept. Each buffer that is written becomes
 * a frame, without a copy. Text frames, frames without a mask and everything reserved end the connection.
 */
public final class WebSocketStream extends ByteToMessageDecoder implements ChannelOutboundHandler {
    private static final int CONTINUATION = 0x0;
    private static final int TEXT = 0x1;
    private static final int BINARY = 0x2;
    private static final int CLOSE = 0x8;
    private static final int PING = 0x9;
    private static final int PONG = 0xA;
    private static final int FINAL = 0x80;
    private static final int RESERVED = 0x70;
    private static final int OPCODE = 0x0F;
    private static final int MASKED = 0x80;
    private static final int LENGTH = 0x7F;
    private static final int SHORT_FOLLOWS = 126;
    private static final int LONG_FOLLOWS = 127;
    private static final int MAX_HEADER_BYTES = 10;

    private static final int NORMAL = 1000;
    private static final int PROTOCOL_ERROR = 1002;
    private static final int UNSUPPORTED_DATA = 1003;

    private long remainingBytes;
    private int mask;
    private int opcode;
    private boolean inMessage;
    private boolean closing;

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (closing) {
            in.skipBytes(in.readableBytes());
        } else if (remainingBytes > 0) {
            payload(ctx, in, out);
        } else {
            header(ctx, in);
        }
    }

    private void header(ChannelHandlerContext ctx, ByteBuf in) {
        if (in.readableBytes() < 2) {
            return;
        }
        int start = in.readerIndex();
        int first = in.getUnsignedByte(start);
        int second = in.getUnsignedByte(start + 1);
        int shortLength = second & LENGTH;
        int lengthBytes = switch (shortLength) {
            case SHORT_FOLLOWS -> Short.BYTES;
            case LONG_FOLLOWS -> Long.BYTES;
            default -> 0;
        };
        if ((first & RESERVED) != 0 || (second & MASKED) == 0) {
            fail(ctx, in, PROTOCOL_ERROR);
            return;
        }
        if (in.readableBytes() < 2 + lengthBytes + Integer.BYTES) {
            return;
        }
        in.skipBytes(2);
        long length = switch (lengthBytes) {
            case Short.BYTES -> in.readUnsignedShort();
            case Long.BYTES -> in.readLong();
            default -> shortLength;
        };
        opcode = first & OPCODE;
        boolean last = (first & FINAL) != 0;
        boolean control = opcode >= CLOSE;
        if (opcode == TEXT) {
            fail(ctx, in, UNSUPPORTED_DATA);
        } else if (length < 0 || (control ? !last || length >= SHORT_FOLLOWS : !continues()) || opcode > PONG) {
            fail(ctx, in, PROTOCOL_ERROR);
        } else {
            inMessage = control ? inMessage : !last;
            mask = in.readInt();
            remainingBytes = length;
            if (length == 0 && control) {
                control(ctx, in.readSlice(0));
            }
        }
    }

    /** Whether a data frame of this opcode may come now. */
    private boolean continues() {
        return inMessage ? opcode == CONTINUATION : opcode == BINARY;
    }

    private void payload(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        boolean control = opcode >= CLOSE;
        if (!in.isReadable() || (control && in.readableBytes() < remainingBytes)) {
            return;
        }
        int bytes = (int) Math.min(remainingBytes, in.readableBytes());
        unmask(in, bytes);
        remainingBytes -= bytes;
        if (control) {
            control(ctx, in.readSlice(bytes));
        } else {
            out.add(in.readRetainedSlice(bytes));
        }
    }

    /** In place; the mask is turned so that it fits to what follows. */
    private void unmask(ByteBuf in, int bytes) {
        int at = in.readerIndex();
        int end = at + bytes;
        for (; at + Integer.BYTES <= end; at += Integer.BYTES) {
            in.setInt(at, in.getInt(at) ^ mask);
        }
        for (; at < end; at++) {
            in.setByte(at, in.getByte(at) ^ (mask >>> 24));
            mask = Integer.rotateLeft(mask, Byte.SIZE);
        }
    }

    private void control(ChannelHandlerContext ctx, ByteBuf payload) {
        switch (opcode) {
            case PING -> {
                // Who does not read his answers gets no more of them.
                if (ctx.channel().isWritable()) {
                    ByteBuf pong = ctx.alloc().buffer(2 + payload.readableBytes());
                    pong.writeByte(FINAL | PONG)
                            .writeByte(payload.readableBytes())
                            .writeBytes(payload);
                    ctx.writeAndFlush(pong, ctx.voidPromise());
                }
            }
            case CLOSE -> {
                int code = payload.readableBytes() >= Short.BYTES ? payload.readUnsignedShort() : NORMAL;
                close(ctx, code, ctx.newPromise());
            }
            default -> {
                // A pong that nobody asked for.
            }
        }
    }

    private void fail(ChannelHandlerContext ctx, ByteBuf in, int code) {
        in.skipBytes(in.readableBytes());
        close(ctx, code, ctx.newPromise());
    }

    private void close(ChannelHandlerContext ctx, int code, ChannelPromise promise) {
        if (closing || !ctx.channel().isActive()) {
            ctx.close(promise);
            return;
        }
        closing = true;
        ByteBuf frame = ctx.alloc().buffer(2 + Short.BYTES);
        frame.writeByte(FINAL | CLOSE).writeByte(Short.BYTES).writeShort(code);
        ctx.writeAndFlush(frame).addListener(_ -> ctx.close(promise));
    }

    @Override
    public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
        ByteBuf payload = (ByteBuf) message;
        int length = payload.readableBytes();
        if (length == 0) {
            ctx.write(payload, promise);
            return;
        }
        if (closing) {
            payload.release();
            promise.trySuccess();
            return;
        }
        ByteBuf header = ctx.alloc().buffer(MAX_HEADER_BYTES).writeByte(FINAL | BINARY);
        if (length < SHORT_FOLLOWS) {
            header.writeByte(length);
        } else if (length <= 0xFFFF) {
            header.writeByte(SHORT_FOLLOWS).writeShort(length);
        } else {
            header.writeByte(LONG_FOLLOWS).writeLong(length);
        }
        ctx.write(header, ctx.voidPromise());
        ctx.write(payload, promise);
    }

    @Override
    public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
        close(ctx, NORMAL, promise);
    }

    @Override
    public void bind(ChannelHandlerContext ctx, SocketAddress local, ChannelPromise promise) {
        ctx.bind(local, promise);
    }

    @Override
    public void connect(ChannelHandlerContext ctx, SocketAddress remote, SocketAddress local, ChannelPromise promise) {
        ctx.connect(remote, local, promise);
    }

    @Override
    public void disconnect(ChannelHandlerContext ctx, ChannelPromise promise) {
        ctx.disconnect(promise);
    }

    @Override
    public void deregister(ChannelHandlerContext ctx, ChannelPromise promise) {
        ctx.deregister(promise);
    }

    @Override
    public void read(ChannelHandlerContext ctx) {
        ctx.read();
    }

    @Override
    public void flush(ChannelHandlerContext ctx) {
        ctx.flush();
    }
}
