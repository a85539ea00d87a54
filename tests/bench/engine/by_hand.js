/** The reference chain on a conversation, from version 1 to 5, as one would write it by hand and once only: it checks
 * nothing, keeps nothing, and has no way back. */

const SENDERS = { human: "user" };

export function byHand(conversation) {
  const { create_time, update_time, messages, ...others } = conversation;
  return {
    ...others,
    create_time: time(create_time),
    update_time: time(update_time),
    messages: messages.map(message),
  };
}

function message({ sender, time: at, ...others }) {
  return { ...others, role: SENDERS[sender] ?? sender, time: at === null ? null : time(at) };
}

/** To the millisecond, as `Date` has it; the engine carries every digit over. */
function time(seconds) {
  return new Date(seconds * 1000).toISOString();
}
