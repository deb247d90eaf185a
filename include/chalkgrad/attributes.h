// Attributes of an operation: a typed struct per operation, held without its type so that graphs can be printed,
// compared and read from text.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>

#include "chalkgrad/fields.h"

namespace chalk {

/// Any attribute struct: a default-constructible struct with operator== and `void visit(FieldVisitor&)`.
class Attributes {
 public:
  Attributes() = default;

  template <class T>
  requires requires(T t, FieldVisitor& v) { t.visit(v); }
  Attributes(T value) : box_(std::make_shared<const Holder<T>>(std::move(value))) {}  // NOLINT: a T is its attributes

  bool empty() const { return !box_; }

  /// The struct itself. T must be what the operation was given; anything else throws std::bad_cast.
  template <class T>
  const T& as() const {
    const auto* holder = dynamic_cast<const Holder<T>*>(box_.get());
    if (!holder) throw std::bad_cast();
    return holder->value;
  }

  /// Shows a copy of each field to `visitor`.
  void show(FieldVisitor& visitor) const {
    if (box_) box_->show(visitor);
  }
  /// A copy whose fields `visitor` may have changed.
  Attributes edited(FieldVisitor& visitor) const { return box_ ? box_->edited(visitor) : *this; }

  bool operator==(const Attributes& other) const {
    if (box_ == other.box_) return true;
    return box_ && other.box_ && box_->equals(*other.box_);
  }

 private:
  struct Box {
    virtual ~Box() = default;
    virtual bool equals(const Box& other) const = 0;
    virtual void show(FieldVisitor& visitor) const = 0;
    virtual Attributes edited(FieldVisitor& visitor) const = 0;
  };
  template <class T>
  struct Holder : Box {
    explicit Holder(T v) : value(std::move(v)) {}
    bool equals(const Box& other) const override {
      const auto* same = dynamic_cast<const Holder<T>*>(&other);
      return same && same->value == value;
    }
    void show(FieldVisitor& visitor) const override {
      T copy = value;
      copy.visit(visitor);
    }
    Attributes edited(FieldVisitor& visitor) const override {
      T copy = value;
      copy.visit(visitor);
      return Attributes(std::move(copy));
    }
    T value;
  };
  std::shared_ptr<const Box> box_;
};

/// "stride=[2, 2] groups=4"; fields that hold their default value are left out.
std::string to_string(const Attributes& attributes, const Attributes& defaults = {});

}  // namespace chalk
