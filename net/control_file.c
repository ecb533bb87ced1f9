/* control_file.c - open files beside the texts of the operator's socket (see control.h)
 *
 * A descriptor goes with the first bytes that the socket takes after it was given, so it arrives with the text that
 * speaks of it, or before.
 */
#include "net/control_parts.h"

#include <event2/event.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room and alignment for one descriptor. */
union ancillary {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

int control_send_file(struct control *c, const char *text, size_t len, int fd)
{
    if (!c->local || c->takes_files || c->file >= 0) {
        close(fd);
        return -1;
    }
    c->file = fd;
    return control_send(c, text, len);
}

void control_take_files(struct control *c)
{
    c->takes_files = c->local;
}

int control_file(struct control *c)
{
    int fd = c->takes_files ? c->file : -1;

    if (fd >= 0)
        c->file = -1;
    return fd;
}

ssize_t control_file_send(struct control *c, const void *bytes, size_t len)
{
    struct iovec piece = {.iov_base = (void *)bytes, .iov_len = len};
    union ancillary ancillary = {0};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    struct cmsghdr *head;
    ssize_t n;

    if (c->takes_files || c->file < 0)
        return send(c->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    message.msg_control = &ancillary;
    message.msg_controllen = sizeof ancillary;
    head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof c->file);
    memcpy(CMSG_DATA(head), &c->file, sizeof c->file);
    n = sendmsg(c->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
        close(c->file);
        c->file = -1;
    }
    return n;
}

ssize_t control_file_receive(struct control *c, void *bytes, size_t len)
{
    struct iovec piece = {.iov_base = bytes, .iov_len = len};
    union ancillary ancillary;
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    struct cmsghdr *head;
    ssize_t n;

    if (!c->takes_files)
        return recv(c->fd, bytes, len, MSG_DONTWAIT);
    message.msg_control = &ancillary;
    message.msg_controllen = sizeof ancillary;
    n = recvmsg(c->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    head = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
        head->cmsg_len == CMSG_LEN(sizeof c->file)) {
        if (c->file >= 0)
            close(c->file);
        memcpy(&c->file, CMSG_DATA(head), sizeof c->file);
    }
    return n;
}
