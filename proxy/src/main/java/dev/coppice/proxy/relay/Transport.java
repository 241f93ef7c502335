package dev.coppice.proxy.relay;

import io.netty.channel.Channel;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;

/** The kernel interface the proxy runs on: epoll where its native library loads, else the JDK's own. */
public enum Transport {
    EPOLL {
        @Override
        public IoHandlerFactory ioHandlers() {
            return EpollIoHandler.newFactory();
        }

        @Override
        public Class<? extends ServerChannel> listener() {
            return EpollServerSocketChannel.class;
        }

        @Override
        Class<? extends Channel> unixSocket() {
            return EpollDomainSocketChannel.class;
        }

        @Override
        SocketAddress unixAddress(Path socket) {
            return new DomainSocketAddress(socket.toString());
        }
    },
    NIO {
        @Override
        public IoHandlerFactory ioHandlers() {
            return NioIoHandler.newFactory();
        }

        @Override
        public Class<? extends ServerChannel> listener() {
            return NioServerSocketChannel.class;
        }

        @Override
        Class<? extends Channel> unixSocket() {
            return NioDomainSocketChannel.class;
        }

        @Override
        SocketAddress unixAddress(Path socket) {
            return UnixDomainSocketAddress.of(socket);
        }
    };

    /** The best one that works here. */
    public static Transport available() {
        return Epoll.isAvailable() ? EPOLL : NIO;
    }

    public abstract IoHandlerFactory ioHandlers();

    public abstract Class<? extends ServerChannel> listener();

    abstract Class<? extends Channel> unixSocket();

    abstract SocketAddress unixAddress(Path socket);
}
