// Boost.Beast under measurement: one thread, asynchronous, echo of whole messages.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <cstdio>
#include <memory>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using asio::ip::tcp;

class session : public std::enable_shared_from_this<session> {
    websocket::stream<beast::tcp_stream> ws_;
    beast::flat_buffer buffer_;

    void read()
    {
        ws_.async_read(buffer_, [self = shared_from_this()](beast::error_code error, std::size_t) {
            if (!error)
                self->write();
        });
    }

    void write()
    {
        ws_.binary(ws_.got_binary());
        ws_.async_write(buffer_.data(),
                        [self = shared_from_this()](beast::error_code error, std::size_t len) {
                            self->buffer_.consume(len);
                            if (!error)
                                self->read();
                        });
    }

public:
    explicit session(tcp::socket &&socket) : ws_(std::move(socket)) {}

    void run()
    {
        ws_.auto_fragment(false);
        ws_.next_layer().socket().set_option(tcp::no_delay(true));
        ws_.async_accept([self = shared_from_this()](beast::error_code error) {
            if (!error)
                self->read();
        });
    }
};

static void accept(tcp::acceptor &acceptor)
{
    acceptor.async_accept([&acceptor](beast::error_code error, tcp::socket socket) {
        if (!error)
            std::make_shared<session>(std::move(socket))->run();
        accept(acceptor);
    });
}

int main()
{
    asio::io_context io(1);
    tcp::acceptor acceptor(io, { asio::ip::make_address("127.0.0.1"), 0 });

    std::printf("%u\n", acceptor.local_endpoint().port());
    std::fflush(stdout);
    accept(acceptor);
    io.run();
}
